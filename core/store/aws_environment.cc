#include "core/store/aws_environment.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr uint64_t kLargestFile = uint64_t{1} << 20;

// The settings of one section of an INI file. Indented lines are nested settings, which nothing here asks for.
AwsProfile ReadSection(absl::string_view text, absl::string_view section, bool* found) {
  AwsProfile settings;
  bool inside = false;
  for (const absl::string_view raw : absl::StrSplit(text, '\n')) {
    const absl::string_view line = absl::StripAsciiWhitespace(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      const absl::string_view name = absl::StripAsciiWhitespace(line.substr(1, line.find(']') - 1));
      inside = name == section;
      *found = *found || inside;
      continue;
    }
    const size_t equals = line.find('=');
    if (!inside || equals == absl::string_view::npos || absl::ascii_isspace(static_cast<unsigned char>(raw.front()))) {
      continue;
    }
    const absl::string_view key = absl::StripAsciiWhitespace(line.substr(0, equals));
    settings[absl::AsciiStrToLower(key)] = std::string(absl::StripAsciiWhitespace(line.substr(equals + 1)));
  }
  return settings;
}

// `variable` names the file, which otherwise is `fallback` in ~/.aws. `prefix` stands before names but "default".
absl::StatusOr<AwsProfile> ReadProfile(const Environment& environment, const std::string& variable,
                                       const std::string& fallback, absl::string_view prefix, bool profile_needed) {
  const std::string given = environment(variable);
  const std::string home = environment("HOME");
  if (given.empty() && home.empty()) return AwsProfile();
  const std::string path = given.empty() ? absl::StrCat(home, "/.aws/", fallback) : given;
  const std::string wanted = environment("AWS_PROFILE");
  const bool needed = profile_needed && !wanted.empty();

  absl::StatusOr<std::string> text = FileSystem::Posix().ReadFile(path, kLargestFile);
  if (absl::IsNotFound(text.status()) && given.empty() && !needed) return AwsProfile();
  if (!text.ok()) return Annotate(text.status(), variable);
  const std::string profile = wanted.empty() ? "default" : wanted;
  bool found = false;
  AwsProfile settings = ReadSection(*text, profile == "default" ? profile : absl::StrCat(prefix, profile), &found);
  if (!found && needed) return absl::NotFoundError(absl::StrCat(path, ": has no profile ", profile, " (AWS_PROFILE)"));
  return settings;
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value == nullptr ? "" : value);
  };
}

absl::StatusOr<AwsProfile> ReadSharedCredentials(const Environment& environment) {
  return ReadProfile(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials", "", /*profile_needed=*/true);
}

absl::StatusOr<AwsProfile> ReadSharedConfig(const Environment& environment) {
  // A profile may have credentials and no configuration.
  return ReadProfile(environment, "AWS_CONFIG_FILE", "config", "profile ", /*profile_needed=*/false);
}

}  // namespace genoserve
