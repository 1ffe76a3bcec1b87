// What the environment and the files of AWS tools say, as all tools for S3 read them.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// The value of an environment variable, empty where it is not set; a parameter, so that tests need not change the
/// process's own.
using Environment = std::function<std::string(const std::string& name)>;

/// The environment of this process.
Environment ProcessEnvironment();

/// Settings of one profile, by name.
using AwsProfile = std::map<std::string, std::string>;

/// A profile of the shared credentials file (AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials); the profile is
/// AWS_PROFILE, else "default". Empty where there is no such file or profile and none was asked for by one of these
/// variables; NOT_FOUND where one was. Messages name the file and never a value in it.
absl::StatusOr<AwsProfile> ReadSharedCredentials(const Environment& environment);

/// The same of the configuration file (AWS_CONFIG_FILE, else ~/.aws/config), which need not have the profile.
absl::StatusOr<AwsProfile> ReadSharedConfig(const Environment& environment);

}  // namespace genoserve
