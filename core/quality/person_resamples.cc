#include "core/quality/person_resamples.h"

#include <map>

#include "core/base/philox.h"
#include "core/quality/measurement.h"

namespace genoserve {
namespace {

// "sample" of the first Philox stream, above those of other resamples and of the equalised sets.
constexpr uint64_t kFirstStream = uint64_t{66} << 40;

}  // namespace

PersonResamples::PersonResamples(size_t people, std::span<const int> labels, std::span<const int> families,
                                 uint64_t seed, uint32_t stream)
    : all_(people, 1), times_(kReplicates * people) {
  // [label][family] = people.
  std::map<int, std::vector<std::vector<size_t>>> strata;
  std::map<int, std::pair<int, size_t>> place_of_family;
  for (size_t person = 0; person < people; ++person) {
    const int label = labels.empty() ? 0 : labels[person];
    const int family = families.empty() ? static_cast<int>(person) : families[person];
    const auto [place, is_new] = place_of_family.try_emplace(family, label, strata[label].size());
    std::vector<std::vector<size_t>>& stratum = strata[place->second.first];
    if (is_new) stratum.emplace_back();
    stratum[place->second.second].push_back(person);
  }
  std::vector<uint32_t> bits(place_of_family.size());
  for (size_t replicate = 0; replicate < kReplicates; ++replicate) {
    PhiloxStream(seed, kFirstStream + (uint64_t{stream} << 32) + replicate, 0, Purpose::kQuality).FillBits(0, bits);
    uint32_t* const times = times_.data() + replicate * people;
    size_t next = 0;
    for (const auto& [label, stratum] : strata) {
      for (size_t draw = 0; draw < stratum.size(); ++draw) {
        for (const size_t person : stratum[uint64_t{bits[next]} * stratum.size() >> 32]) ++times[person];
        ++next;
      }
    }
  }
}

}  // namespace genoserve
