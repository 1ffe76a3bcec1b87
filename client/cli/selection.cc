#include "client/cli/selection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/cli/sample_part.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/genotype/stream_digest.h"
#include "core/genotype/variant_table.h"

namespace genoserve {
namespace {

constexpr uint64_t kLargestRegionsFile = 16 << 20;  // bytes

v1::Region ToProto(const GenomicRegion& region) {
  v1::Region proto;
  proto.set_contig(region.contig);
  proto.set_start(region.start);
  proto.set_end(region.end);
  return proto;
}

bool ParseFinite(absl::string_view text, double* value) {
  return absl::SimpleAtod(text, value) && std::isfinite(*value);
}

// The two numbers of "name(a,b)"; nothing where the text has another form.
std::optional<std::pair<double, double>> ParseCall(absl::string_view name, absl::string_view text) {
  if (!absl::ConsumePrefix(&text, name) || !absl::ConsumePrefix(&text, "(") || !absl::ConsumeSuffix(&text, ")")) {
    return std::nullopt;
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ',');
  std::pair<double, double> numbers;
  if (parts.size() != 2 || !ParseFinite(parts[0], &numbers.first) || !ParseFinite(parts[1], &numbers.second)) {
    return std::nullopt;
  }
  return numbers;
}

absl::StatusOr<v1::PhenotypeTerm> ParseContinuous(const v1::PhenotypeSchema& schema, absl::string_view value,
                                                  bool extrapolate) {
  const std::string& name = schema.name();
  v1::PhenotypeTerm term;
  term.set_name(name);
  double number = 0;
  if (ParseFinite(value, &number)) {
    GENOSERVE_RETURN_IF_ERROR(CheckInRange(schema, number, extrapolate));
    term.set_number(number);
  } else if (const auto normal = ParseCall("normal", value); normal.has_value() && normal->second >= 0) {
    GENOSERVE_RETURN_IF_ERROR(CheckInRange(schema, normal->first, extrapolate));
    term.mutable_normal()->set_mean(normal->first);
    term.mutable_normal()->set_standard_deviation(normal->second);
  } else if (const auto uniform = ParseCall("uniform", value); uniform && uniform->first <= uniform->second) {
    GENOSERVE_RETURN_IF_ERROR(CheckInRange(schema, uniform->first, extrapolate));
    GENOSERVE_RETURN_IF_ERROR(CheckInRange(schema, uniform->second, extrapolate));
    term.mutable_uniform()->set_low(uniform->first);
    term.mutable_uniform()->set_high(uniform->second);
  } else {
    return absl::InvalidArgumentError(absl::StrFormat(
        "phenotype %s: \"%s\" is not a number, normal(MEAN,SD) with SD >= 0, or uniform(LOW,HIGH) with LOW <= HIGH",
        name, value));
  }
  return term;
}

absl::StatusOr<v1::PhenotypeTerm> ParseCategorical(absl::string_view name, absl::string_view value,
                                                   const v1::CategoricalPhenotype& schema) {
  const auto known = [&schema](absl::string_view level) {
    return std::any_of(schema.levels().begin(), schema.levels().end(),
                       [level](const std::string& other) { return other == level; });
  };
  v1::PhenotypeTerm term;
  term.set_name(std::string(name));
  if (known(value)) {
    term.set_level(std::string(value));
    return term;
  }
  for (const absl::string_view part : absl::StrSplit(value, ',')) {
    const size_t colon = part.rfind(':');
    const absl::string_view level = part.substr(0, colon);
    if (!known(level)) {
      return absl::NotFoundError(absl::StrFormat("phenotype %s has no level \"%s\"; it has %s", name, level,
                                                 absl::StrJoin(schema.levels(), ", ")));
    }
    double share = 0;
    if (colon == absl::string_view::npos || !ParseFinite(part.substr(colon + 1), &share) || share <= 0) {
      return absl::InvalidArgumentError(
          absl::StrFormat("phenotype %s: \"%s\" is not LEVEL:SHARE with a share of more than 0", name, part));
    }
    v1::LevelProportion* proportion = term.mutable_levels()->add_proportions();
    proportion->set_level(std::string(level));
    proportion->set_proportion(share);
  }
  return term;
}

// One line of a regions file, without its line end.
absl::StatusOr<v1::Region> ParseRegionLine(absl::string_view line, bool bed) {
  const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::ByAnyChar("\t "), absl::SkipEmpty());
  GenomicRegion region;
  region.contig = std::string(fields[0]);
  const bool numbers = (fields.size() < 2 || absl::SimpleAtoi(fields[1], &region.start)) &&
                       (fields.size() < 3 || absl::SimpleAtoi(fields[2], &region.end));
  if (fields.size() == 2) region.end = region.start;
  const int64_t least = bed ? 0 : 1;
  if (!numbers || (bed && fields.size() < 3) || (fields.size() > 1 && region.start < least) ||
      (fields.size() > 1 && region.end < region.start + (bed ? 1 : 0))) {
    return absl::InvalidArgumentError(bed ? "is not CONTIG, START and END with 0 <= START < END"
                                          : "is not CONTIG, FIRST and LAST position with 1 <= FIRST <= LAST");
  }
  if (bed) ++region.start;
  return ToProto(region);
}

}  // namespace

absl::StatusOr<std::pair<std::string, std::string>> ParseModelName(absl::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '@');
  if (parts.size() > 2 || parts[0].empty() || (parts.size() == 2 && parts[1].empty())) {
    return absl::InvalidArgumentError(absl::StrCat("model \"", text, "\" is not of the form NAME or NAME@VERSION"));
  }
  return std::make_pair(parts[0], parts.size() == 2 ? parts[1] : std::string());
}

absl::StatusOr<int64_t> ParsePopulations(absl::string_view text, v1::Condition* condition) {
  std::vector<std::pair<std::string, std::string>> parts;
  bool proportions = false;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const size_t colon = part.rfind(':');
    if (colon == absl::string_view::npos || colon == 0) {
      return absl::InvalidArgumentError(absl::StrCat("--pop: \"", part, "\" is not LABEL:COUNT or LABEL:PROPORTION"));
    }
    parts.emplace_back(part.substr(0, colon), part.substr(colon + 1));
    proportions |= absl::StrContains(parts.back().second, ".");
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      if (parts[i].first == parts.back().first) {
        return absl::InvalidArgumentError(absl::StrCat("--pop: label ", parts[i].first, " comes twice"));
      }
    }
  }
  int64_t sum = 0;
  for (const auto& [label, number] : parts) {
    if (proportions) {
      double value = 0;
      if (!ParseFinite(number, &value) || value <= 0) {
        return absl::InvalidArgumentError(
            absl::StrCat("--pop: proportion \"", number, "\" of ", label, " is not a number of more than 0"));
      }
      v1::LabelProportion* proportion = condition->mutable_label_proportions()->add_proportions();
      proportion->set_label(label);
      proportion->set_proportion(value);
    } else {
      int64_t value = 0;
      if (!absl::SimpleAtoi(number, &value) || value < 1 || value > std::numeric_limits<int64_t>::max() - sum) {
        return absl::InvalidArgumentError(absl::StrCat("--pop: count \"", number, "\" of ", label,
                                                       " is not a whole number of at least 1 (nor a proportion, "
                                                       "which has a point)"));
      }
      v1::LabelCount* count = condition->mutable_label_counts()->add_counts();
      count->set_label(label);
      count->set_count(value);
      sum += value;
    }
  }
  return sum;
}

absl::Status CheckLabels(const v1::Condition& condition, const v1::Manifest& manifest) {
  std::vector<std::string> known;
  for (const v1::LabelSchema& label : manifest.labels()) known.push_back(label.name());
  std::vector<std::string> asked;
  for (const v1::LabelCount& count : condition.label_counts().counts()) asked.push_back(count.label());
  for (const v1::LabelProportion& share : condition.label_proportions().proportions()) asked.push_back(share.label());
  for (const std::string& label : asked) {
    if (std::find(known.begin(), known.end(), label) != known.end()) continue;
    return absl::NotFoundError(absl::StrCat("the model has no population label \"", label, "\"; it has ",
                                            known.empty() ? "none" : absl::StrJoin(known, ", ")));
  }
  return absl::OkStatus();
}

absl::Status CheckInRange(const v1::PhenotypeSchema& schema, double value, bool extrapolate) {
  const v1::ContinuousPhenotype& training = schema.continuous();
  const double width = training.maximum() - training.minimum();
  const auto range = [&](double beyond) {
    return absl::StrCat(NumberText(training.minimum() - beyond), " to ", NumberText(training.maximum() + beyond),
                        training.unit().empty() ? "" : " ", training.unit());
  };
  const double beyond = extrapolate ? width : 0;
  if (value >= training.minimum() - beyond && value <= training.maximum() + beyond) return absl::OkStatus();
  const std::string outside = absl::StrCat("phenotype ", schema.name(), ": ", NumberText(value), " is outside ");
  if (extrapolate) {
    return absl::InvalidArgumentError(
        absl::StrCat(outside, "what --extrapolate allows, ", range(width), "; the training range is ", range(0)));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(outside, "the training range, ", range(0), "; --extrapolate allows ", range(width)));
}

absl::StatusOr<v1::PhenotypeTerm> ParsePhenotype(absl::string_view text, const v1::Manifest& manifest,
                                                 bool extrapolate) {
  const size_t equals = text.find('=');
  if (equals == absl::string_view::npos || equals == 0 || equals + 1 == text.size()) {
    return absl::InvalidArgumentError(absl::StrCat("--pheno: \"", text, "\" is not of the form NAME=VALUE"));
  }
  const absl::string_view name = text.substr(0, equals);
  const absl::string_view value = text.substr(equals + 1);
  std::vector<std::string> names;
  for (const v1::PhenotypeSchema& schema : manifest.phenotypes()) {
    names.push_back(schema.name());
    if (schema.name() != name) continue;
    return schema.has_categorical() ? ParseCategorical(name, value, schema.categorical())
                                    : ParseContinuous(schema, value, extrapolate);
  }
  return absl::NotFoundError(absl::StrCat("the model has no phenotype \"", name, "\"; it has ",
                                          names.empty() ? "none" : absl::StrJoin(names, ", ")));
}

absl::StatusOr<std::vector<v1::Region>> ParseRegions(absl::string_view text) {
  std::vector<v1::Region> regions;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    GENOSERVE_ASSIGN_OR_RETURN(const GenomicRegion region, ParseRegion(part));
    regions.push_back(ToProto(region));
  }
  return regions;
}

absl::StatusOr<std::vector<v1::Region>> ReadRegionsFile(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string text, FileSystem::Posix().ReadFile(path, kLargestRegionsFile));
  const bool bed = absl::EndsWith(path, ".bed");
  std::vector<v1::Region> regions;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    absl::StatusOr<v1::Region> region = ParseRegionLine(line, bed);
    if (!region.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", number, ": ", region.status().message()));
    }
    regions.push_back(*std::move(region));
  }
  if (regions.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": holds no regions"));
  return regions;
}

absl::StatusOr<SampleRange> ParseShard(absl::string_view text, int64_t cohort_size) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '/');
  int64_t part = 0;
  int64_t of = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &part) || !absl::SimpleAtoi(parts[1], &of) || part < 1 ||
      part > of) {
    return absl::InvalidArgumentError(absl::StrCat("--shard: \"", text, "\" is not I/N with 1 <= I <= N"));
  }
  if (of > cohort_size) {
    return absl::InvalidArgumentError(
        absl::StrFormat("--shard: a cohort of %d samples cannot be cut into %d parts", cohort_size, of));
  }
  const int64_t blocks = (cohort_size + kDigestBlock - 1) / kDigestBlock;
  const int64_t unit = blocks >= of ? kDigestBlock : 1;
  const int64_t units = blocks >= of ? blocks : cohort_size;
  // The first units % of parts have one unit more; no product that could overflow.
  const auto bound = [&](int64_t i) {
    return std::min(cohort_size, unit * (i * (units / of) + std::min(i, units % of)));
  };
  return SampleRange{bound(part - 1), bound(part) - bound(part - 1)};
}

}  // namespace genoserve
