#include "core/store/s3_location.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status.h"
#include "core/base/suggest.h"

namespace genoserve {
namespace {

constexpr absl::string_view kScheme = "s3://";
// A key has at most 1,024 bytes, and names of models and files take up to 300 of them.
constexpr size_t kMaxPrefix = 512;

bool IsAlnum(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }

absl::Status CheckBucket(absl::string_view bucket) {
  const auto allowed = [](char c) { return (IsAlnum(c) && !(c >= 'A' && c <= 'Z')) || c == '.' || c == '-'; };
  if (bucket.size() >= 3 && bucket.size() <= 63 && std::all_of(bucket.begin(), bucket.end(), allowed) &&
      IsAlnum(bucket.front()) && IsAlnum(bucket.back()) && !absl::StrContains(bucket, "..")) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("bucket \"", absl::CHexEscape(bucket.substr(0, 80)),
                   "\": has 3 to 63 lower-case letters, digits, '.' and '-', a letter or digit first and last"));
}

// Only characters that no part of a request has to escape.
absl::Status CheckPrefix(absl::string_view prefix) {
  const auto allowed = [](char c) { return IsAlnum(c) || c == '.' || c == '_' || c == '-'; };
  bool good = prefix.size() <= kMaxPrefix;
  for (const absl::string_view part : absl::StrSplit(prefix, '/')) {
    good = good && !part.empty() && part != "." && part != ".." && std::all_of(part.begin(), part.end(), allowed);
  }
  if (good || prefix.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("prefix \"", absl::CHexEscape(prefix.substr(0, 80)),
                   "\": has names of letters, digits, '.', '_' and '-' with one '/' between them, at most ", kMaxPrefix,
                   " characters"));
}

absl::Status CheckRegion(absl::string_view region) {
  const auto allowed = [](char c) { return IsAlnum(c) || c == '-' || c == '_'; };
  if (region.size() <= 64 && std::all_of(region.begin(), region.end(), allowed)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("region \"", absl::CHexEscape(region.substr(0, 80)), "\": has letters, digits, '-' and '_'"));
}

absl::StatusOr<std::string> CheckEndpoint(absl::string_view endpoint) {
  absl::string_view host = endpoint;
  const bool scheme = absl::ConsumePrefix(&host, "https://") || absl::ConsumePrefix(&host, "http://");
  absl::ConsumeSuffix(&host, "/");
  const auto allowed = [](char c) { return IsAlnum(c) || absl::StrContains(".-_:[]", std::string(1, c)); };
  if (scheme && !host.empty() && host.size() <= 256 && std::all_of(host.begin(), host.end(), allowed)) {
    return std::string(absl::StripSuffix(endpoint, "/"));
  }
  return absl::InvalidArgumentError(absl::StrCat("endpoint \"", absl::CHexEscape(endpoint.substr(0, 80)),
                                                 "\": is http:// or https:// and a host, and a port if need be"));
}

// The first of them that is set.
std::string FirstOf(const Environment& environment, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (std::string value = environment(name); !value.empty()) return value;
  }
  return "";
}

absl::StatusOr<std::map<std::string, std::string>> ParseQuery(absl::string_view query) {
  static const auto* const kNames = new std::vector<std::string>{"endpoint", "region", "path_style"};
  std::map<std::string, std::string> options;
  for (const absl::string_view pair : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> option = absl::StrSplit(pair, absl::MaxSplits('=', 1));
    if (std::find(kNames->begin(), kNames->end(), option.first) == kNames->end()) {
      const std::string near = NearestMatch(option.first, *kNames);
      return absl::InvalidArgumentError(absl::StrCat("unknown option \"", absl::CHexEscape(option.first), "\"",
                                                     near.empty() ? "" : absl::StrCat("; did you mean ", near, "?"),
                                                     " (there are endpoint, region and path_style)"));
    }
    if (option.second.empty() || !options.insert(option).second) {
      return absl::InvalidArgumentError(absl::StrCat("option ", option.first, ": has one value, once"));
    }
  }
  return options;
}

absl::Status Parse(absl::string_view url, const Environment& environment, S3Location* location) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(url, absl::MaxSplits('?', 1));
  absl::string_view path = absl::StripPrefix(parts.first, kScheme);
  absl::ConsumeSuffix(&path, "/");
  const std::pair<std::string, std::string> names = absl::StrSplit(path, absl::MaxSplits('/', 1));
  location->bucket = names.first;
  GENOSERVE_RETURN_IF_ERROR(CheckBucket(location->bucket));
  GENOSERVE_RETURN_IF_ERROR(CheckPrefix(names.second));
  if (!names.second.empty()) location->prefix = absl::StrCat(names.second, "/");

  GENOSERVE_ASSIGN_OR_RETURN(auto options, ParseQuery(parts.second));
  location->region = options["region"];
  if (location->region.empty()) location->region = FirstOf(environment, {"AWS_REGION", "AWS_DEFAULT_REGION"});
  if (location->region.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(AwsProfile profile, ReadSharedConfig(environment));
    location->region = profile["region"];
  }
  GENOSERVE_RETURN_IF_ERROR(CheckRegion(location->region));

  std::string endpoint = options["endpoint"];
  if (endpoint.empty()) endpoint = FirstOf(environment, {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  if (endpoint.empty()) {
    if (location->region.empty()) {
      return absl::InvalidArgumentError("no region: set AWS_REGION, or add ?region=NAME, or an endpoint");
    }
    location->endpoint = absl::StrCat("https://s3.", location->region, ".amazonaws.com",
                                      absl::StartsWith(location->region, "cn-") ? ".cn" : "");
    // The certificate of Amazon's servers is for names with one part before theirs.
    location->path_style = absl::StrContains(location->bucket, '.');
  } else {
    GENOSERVE_ASSIGN_OR_RETURN(location->endpoint, CheckEndpoint(endpoint));
    location->path_style = true;
    // What servers of other makes take where they were not told any.
    if (location->region.empty()) location->region = "us-east-1";
  }
  if (const std::string& style = options["path_style"]; !style.empty()) {
    if (style != "true" && style != "false") {
      return absl::InvalidArgumentError(absl::StrCat("option path_style: is true or false, not ", style));
    }
    location->path_style = style == "true";
  }
  location->ca_file = environment("AWS_CA_BUNDLE");
  return absl::OkStatus();
}

}  // namespace

std::string S3Location::Url(absl::string_view key) const {
  if (path_style) return absl::StrCat(endpoint, "/", bucket, key.empty() ? "" : "/", key);
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(endpoint, absl::MaxSplits("://", 1));
  return absl::StrCat(parts.first, "://", bucket, ".", parts.second, "/", key);
}

std::string S3Location::Name(absl::string_view key) const {
  return absl::StrCat(kScheme, bucket, key.empty() ? "" : "/", key);
}

absl::StatusOr<S3Location> ParseS3Url(const std::string& url, const Environment& environment) {
  S3Location location;
  const absl::Status status = Parse(url, environment, &location);
  if (status.ok()) return location;
  return Annotate(status, absl::StrCat("store ", absl::CHexEscape(absl::string_view(url).substr(0, 200))));
}

}  // namespace genoserve
