// Rows in the order of their reversed prefixes, after Durbin 2014, "Efficient haplotype matching and storage using the
// positional Burrows-Wheeler transform (PBWT)", algorithms 1 and 2, for 2 or 3 codes. Rows that share their last
// variants stand together, and how long neighbours agree is known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace genoserve {

/// Not thread-safe.
class PrefixOrder {
 public:
  /// `symbols` codes, 2 or 3. Begins before variant 0 with the rows in their own order.
  PrefixOrder(size_t rows, size_t symbols);

  /// Begins anew before `variant`: what stood before it does not count.
  void Restart(size_t variant);
  /// Takes the codes of `variant`, one a row in the rows' own order.
  void Add(size_t variant, std::span<const uint8_t> codes);

  size_t rows() const { return order_.size(); }
  /// [place]: row that stands there.
  std::span<const uint32_t> order() const { return order_; }
  /// Variant from which on the rows at `place` - 1 and `place` agree up to the last one that was added; one past that
  /// where they do not agree in it, and for place 0 and rows().
  uint32_t Agree(size_t place) const { return agree_[place]; }

  /// Of the last Add: the rows before `place`, in the order before it, that have this code.
  uint32_t CountBefore(size_t place, size_t symbol) const { return counts_[place * symbols_ + symbol]; }
  /// Of the last Add: the first place, in the order after it, of the rows with this code; for `symbols` the number of
  /// rows.
  uint32_t FirstPlace(size_t symbol) const { return first_places_[symbol]; }

 private:
  size_t symbols_;
  std::vector<uint32_t> order_;
  std::vector<uint32_t> agree_;         // [rows + 1]
  std::vector<uint32_t> counts_;        // [rows + 1][symbols]
  std::vector<uint32_t> first_places_;  // [symbols + 1]
  std::vector<uint32_t> next_order_;
  std::vector<uint32_t> next_agree_;
};

}  // namespace genoserve
