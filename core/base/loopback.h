// Which hosts are this machine itself: the rule that decides where plain text is allowed.
#pragma once

#include "absl/strings/string_view.h"

namespace genoserve {

/// Whether a host is "localhost", "::1" or an address of 127.0.0.0/8. Names are not looked up: 127.example.org is none.
bool IsLoopbackHost(absl::string_view host);

}  // namespace genoserve
