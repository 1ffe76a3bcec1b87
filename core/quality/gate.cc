#include "core/quality/gate.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/quality/catalogue.h"
#include "core/quality/default_gate.h"

namespace genoserve {
namespace {

constexpr uint64_t kLargestGate = 1 << 20;  // bytes

// Keeps the first error of the text parser.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (text_.empty()) text_ = absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// What a value may be.
struct Bounds {
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();

  bool bind() const { return std::isfinite(minimum) || std::isfinite(maximum); }
  void AtLeast(double bound) { minimum = std::max(minimum, bound); }
  void AtMost(double bound) { maximum = std::min(maximum, bound); }
};

// Bounds that let a value be off the floor's interval by `slack` to the side that is worse.
void AddSlack(Better better, const v1::Reference& floor, double slack, Bounds* bounds) {
  if (better != Better::kHigher) bounds->AtMost(floor.high() + slack);
  if (better != Better::kLower) bounds->AtLeast(floor.low() - slack);
}

// Whether the naive draws are worse than the floor beyond what chance explains.
bool NaiveIsWorse(Better better, const v1::Reference& floor, const v1::Reference& naive) {
  if (better == Better::kLower) return naive.low() > floor.high();
  if (better == Better::kHigher) return naive.high() < floor.low();
  return naive.low() > floor.high() || naive.high() < floor.low();
}

Bounds BoundsOf(const v1::Limit& limit, const v1::Figure& figure) {
  Bounds bounds;
  if (limit.has_minimum()) bounds.AtLeast(limit.minimum());
  if (limit.has_maximum()) bounds.AtMost(limit.maximum());
  const FigureInfo* const info = FindFigure(figure.name());
  if (info == nullptr || !figure.has_floor()) return bounds;
  if (limit.has_floor_margin()) AddSlack(info->better, figure.floor(), limit.floor_margin(), &bounds);
  if (limit.has_floor_gap() && figure.has_naive() && NaiveIsWorse(info->better, figure.floor(), figure.naive())) {
    const double way = std::abs(figure.naive().value() - figure.floor().value());
    AddSlack(info->better, figure.floor(), limit.floor_gap() * way, &bounds);
  }
  return bounds;
}

std::string NameOf(const v1::Figure& figure) {
  const FigureInfo* const info = FindFigure(figure.name());
  std::string name(info == nullptr ? absl::string_view(figure.name()) : info->title);
  absl::StrAppend(&name, " (", figure.name(), figure.label().empty() ? "" : " of ", figure.label(), ")");
  return name;
}

// Whether a limit speaks of the floor alone, and the figure has none.
bool LacksFloor(const v1::Limit& limit, const v1::Figure& figure) {
  return !limit.has_minimum() && !limit.has_maximum() && !figure.has_floor();
}

// Why a figure does not keep its bounds, if it does not.
std::optional<std::string> Fault(const v1::Limit& limit, const v1::Figure& figure, const Bounds& bounds) {
  if (figure.has_value() && LacksFloor(limit, figure)) {
    if (limit.optional()) return std::nullopt;
    return absl::StrCat(NameOf(figure), " cannot be judged: it could not be measured of real people");
  }
  if (!figure.has_value()) {
    if (limit.optional()) return std::nullopt;
    return absl::StrCat(NameOf(figure), " could not be measured: ", figure.reason());
  }
  // With `interval`, the end of the interval that is nearer to what is allowed.
  const double high = limit.interval() && figure.has_high() ? figure.high() : figure.value();
  const double low = limit.interval() && figure.has_low() ? figure.low() : figure.value();
  // Written so that a value that is no number fails.
  if (high >= bounds.minimum && low <= bounds.maximum) return std::nullopt;
  std::string text = absl::StrFormat("%s is %.4g", NameOf(figure), figure.value());
  if (limit.interval()) absl::StrAppendFormat(&text, " (95 %% interval %.4g to %.4g)", figure.low(), figure.high());
  if (std::isfinite(bounds.minimum) && !(high >= bounds.minimum)) {
    absl::StrAppendFormat(&text, ", and must be at least %.4g", bounds.minimum);
  } else {
    absl::StrAppendFormat(&text, ", and must be at most %.4g", bounds.maximum);
  }
  if (!limit.why().empty()) absl::StrAppend(&text, ": ", limit.why());
  return text;
}

// What to say of a limit that no figure answers to.
std::string NotThere(const v1::Limit& limit, const google::protobuf::RepeatedPtrField<v1::Figure>& figures) {
  std::vector<std::string> labels;
  for (const v1::Figure& figure : figures) {
    if (figure.name() == limit.figure() && !figure.label().empty()) labels.push_back(figure.label());
  }
  if (limit.label().empty() || labels.empty()) return absl::StrCat(limit.figure(), " was not measured");
  return absl::StrCat(limit.figure(), " has no label \"", limit.label(), "\"; it has ", absl::StrJoin(labels, ", "));
}

bool Applies(const v1::Limit& limit, const v1::Figure& figure) {
  if (limit.figure() != figure.name()) return false;
  return limit.label() == "*" ? !figure.label().empty() : limit.label() == figure.label();
}

absl::Status CheckLimit(const v1::Limit& limit) {
  if (FindFigure(limit.figure()) == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no figure \"", limit.figure(), "\"; there are ",
                     absl::StrJoin(AllFigures(), ", ",
                                   [](std::string* out, const FigureInfo& info) { absl::StrAppend(out, info.name); })));
  }
  const auto invalid = [&limit](const char* what) {
    return absl::InvalidArgumentError(absl::StrCat("the limit of ", limit.figure(), " ", what));
  };
  if (!limit.has_minimum() && !limit.has_maximum() && !limit.has_floor_gap() && !limit.has_floor_margin()) {
    return invalid("has no bound; give minimum, maximum, floor_gap or floor_margin");
  }
  for (const double bound : {limit.minimum(), limit.maximum(), limit.floor_gap(), limit.floor_margin()}) {
    if (!std::isfinite(bound)) return invalid("has a bound that is no number");
  }
  if (limit.floor_gap() < 0 || limit.floor_margin() < 0) return invalid("has a floor_gap or floor_margin under 0");
  if (limit.has_minimum() && limit.has_maximum() && limit.minimum() > limit.maximum()) {
    return invalid("has a minimum above its maximum");
  }
  return absl::OkStatus();
}

}  // namespace

const v1::Gate& DefaultGate() {
  static const v1::Gate* const gate = new v1::Gate(ParseGate(kDefaultGate).value());
  return *gate;
}

absl::StatusOr<v1::Gate> ParseGate(absl::string_view text) {
  v1::Gate gate;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(std::string(text), &gate)) return absl::InvalidArgumentError(error.text());
  if (gate.limits().empty()) return absl::InvalidArgumentError("has no limits");
  for (const v1::Limit& limit : gate.limits()) GENOSERVE_RETURN_IF_ERROR(CheckLimit(limit));
  return gate;
}

absl::StatusOr<v1::Gate> ReadGate(absl::string_view name_or_path) {
  if (name_or_path == "default") return DefaultGate();
  const std::string path(name_or_path);
  GENOSERVE_ASSIGN_OR_RETURN(const std::string text, FileSystem::Posix().ReadFile(path, kLargestGate));
  absl::StatusOr<v1::Gate> gate = ParseGate(text);
  if (!gate.ok()) return Annotate(gate.status(), path);
  return gate;
}

v1::GateResult Judge(const v1::Gate& gate, absl::string_view gate_name,
                     google::protobuf::RepeatedPtrField<v1::Figure>* figures) {
  v1::GateResult result;
  result.set_gate(std::string(gate_name));
  const auto add_breach = [&result](const v1::Limit& limit, const std::string& label, const std::string& message) {
    v1::Breach& breach = *result.add_breaches();
    breach.set_figure(limit.figure());
    breach.set_label(label);
    breach.set_hard(limit.hard());
    breach.set_message(message);
  };
  if (figures->empty()) {
    add_breach(v1::Limit(), "", "no figures of quality were measured; train it anew with this version");
    return result;
  }
  int judged = 0;
  for (const v1::Limit& limit : gate.limits()) {
    bool found = false;
    for (v1::Figure& figure : *figures) {
      if (!Applies(limit, figure)) continue;
      found = true;
      if (figure.has_value() && figure.n() < limit.smallest_n()) continue;
      const Bounds bounds = BoundsOf(limit, figure);
      if (figure.has_value() && !bounds.bind() && !LacksFloor(limit, figure)) continue;
      ++judged;
      if (std::isfinite(bounds.minimum)) figure.set_minimum(bounds.minimum);
      if (std::isfinite(bounds.maximum)) figure.set_maximum(bounds.maximum);
      if (const auto fault = Fault(limit, figure, bounds)) add_breach(limit, figure.label(), *fault);
    }
    if (found || limit.optional()) continue;
    ++judged;
    add_breach(limit, limit.label(), NotThere(limit, *figures));
  }
  result.set_judged(judged);
  result.set_passed(result.breaches().empty());
  return result;
}

}  // namespace genoserve
