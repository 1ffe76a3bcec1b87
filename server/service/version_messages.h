// What is known of versions, as messages.
#pragma once

#include <string>

#include "genoserve/v1/cohort.pb.h"
#include "genoserve/v1/operations.pb.h"
#include "server/manager/model_manager.h"

namespace genoserve {

/// As ListModels tells it. With `whole`, manifest and engine of one that is loaded are there too.
v1::Model ToModel(const VersionStatus& status, bool whole);

/// As GetStatus tells it.
v1::VersionStatus ToVersionStatus(const VersionStatus& status);

/// RFC 3339 in UTC; empty for a time that is not finite.
std::string TimeText(absl::Time time);

}  // namespace genoserve
