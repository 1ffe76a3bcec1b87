#include "core/io/sample_list.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status.h"
#include "core/io/line_reader.h"

namespace genoserve {
namespace {

constexpr size_t kNoColumn = static_cast<size_t>(-1);

uint8_t SexOf(absl::string_view text) {
  if (text == "1" || absl::EqualsIgnoreCase(text, "M") || absl::EqualsIgnoreCase(text, "male")) return 1;
  if (text == "2" || absl::EqualsIgnoreCase(text, "F") || absl::EqualsIgnoreCase(text, "female")) return 2;
  return 0;
}

/// Adds samples, each name once.
class SampleAdder {
 public:
  absl::Status Add(const LineReader& lines, absl::string_view name, uint8_t sex) {
    const auto [earlier, added] = lines_.emplace(name, lines.number());
    if (!added) return lines.Error(absl::StrCat("sample ", name, " is on line ", earlier->second, " already"));
    list_.names.emplace_back(name);
    list_.sexes.push_back(sex);
    return absl::OkStatus();
  }

  absl::StatusOr<SampleList> Finish(const std::string& path) {
    if (list_.names.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": has no samples"));
    return std::move(list_);
  }

 private:
  SampleList list_;
  absl::flat_hash_map<std::string, size_t> lines_;
};

size_t FindColumn(const std::vector<absl::string_view>& header, absl::string_view name) {
  const auto found = std::find(header.begin(), header.end(), name);
  return found == header.end() ? kNoColumn : static_cast<size_t>(found - header.begin());
}

}  // namespace

absl::StatusOr<SampleList> ReadFam(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(const auto lines, LineReader::Open(path));
  SampleAdder adder;
  while (true) {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines->Next());
    if (!more) break;
    const std::vector<absl::string_view> words = lines->Words();
    if (words.size() != 6) {
      return lines->Error(absl::StrFormat("expected 6 columns (FID IID PAT MAT SEX PHENO), found %d", words.size()));
    }
    GENOSERVE_RETURN_IF_ERROR(adder.Add(*lines, words[1], SexOf(words[4])));
  }
  if (lines->number() == 0) return absl::InvalidArgumentError(absl::StrCat(path, ": is empty"));
  return adder.Finish(path);
}

absl::StatusOr<SampleList> ReadPsam(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(const auto lines, LineReader::Open(path));
  SampleAdder adder;
  size_t columns = 0;
  size_t name = 1;
  size_t sex = 4;
  while (true) {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines->Next());
    if (!more) break;
    const std::vector<absl::string_view> words = lines->Words();
    if (words.empty()) continue;
    if (words[0] == "#FID" || words[0] == "#IID") {
      columns = words.size();
      name = words[0] == "#IID" ? 0 : FindColumn(words, "IID");
      sex = FindColumn(words, "SEX");
      if (name > 1) return lines->Error("the second column after #FID must be IID");
      continue;
    }
    if (words[0][0] == '#') continue;
    if (columns == 0) columns = std::max<size_t>(5, words.size());  // no header: FID IID PAT MAT SEX ...
    if (words.size() < columns) {
      return lines->Error(absl::StrFormat("expected %d columns, found %d", columns, words.size()));
    }
    GENOSERVE_RETURN_IF_ERROR(adder.Add(*lines, words[name], sex == kNoColumn ? 0 : SexOf(words[sex])));
  }
  return adder.Finish(path);
}

absl::StatusOr<SampleList> ReadOxfordSamples(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(const auto lines, LineReader::Open(path));
  SampleAdder adder;
  size_t columns = 0;
  size_t name = 0;
  size_t sex = kNoColumn;
  bool types_due = false;  // the line below the header
  while (true) {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines->Next());
    if (!more) break;
    const std::vector<absl::string_view> words = lines->Words();
    if (columns == 0) {
      const bool ids = words.size() >= 3 && words[0] == "ID_1" && words[1] == "ID_2" && words[2] == "missing";
      const bool populations = words.size() >= 2 && words[0] == "sample" && words[1] == "population";
      if (!ids && !populations) {
        return lines->Error("expected the header \"ID_1 ID_2 missing ...\" or \"sample population group sex\"");
      }
      columns = words.size();
      name = ids ? 1 : 0;
      sex = FindColumn(words, "sex");
      types_due = ids;
      continue;
    }
    if (words.size() != columns) {
      return lines->Error(absl::StrFormat("expected %d columns, found %d", columns, words.size()));
    }
    if (types_due) {
      types_due = false;
      if (words[0] != "0" || words[1] != "0") return lines->Error("expected the types of the columns, \"0 0 0 ...\"");
      continue;
    }
    GENOSERVE_RETURN_IF_ERROR(adder.Add(*lines, words[name], sex == kNoColumn ? 0 : SexOf(words[sex])));
  }
  return adder.Finish(path);
}

}  // namespace genoserve
