#include "trainer/chain/prefix_order.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace genoserve {
namespace {

constexpr size_t kMostSymbols = 3;

}  // namespace

PrefixOrder::PrefixOrder(size_t rows, size_t symbols)
    : symbols_(symbols),
      order_(rows),
      agree_(rows + 1),
      counts_((rows + 1) * symbols),
      first_places_(symbols + 1),
      next_order_(rows),
      next_agree_(rows + 1) {
  Restart(0);
}

void PrefixOrder::Restart(size_t variant) {
  std::iota(order_.begin(), order_.end(), 0U);
  std::fill(agree_.begin(), agree_.end(), static_cast<uint32_t>(variant));
}

void PrefixOrder::Add(size_t variant, std::span<const uint8_t> codes) {
  for (size_t place = 0; place < rows(); ++place) {
    std::copy_n(&counts_[place * symbols_], symbols_, &counts_[(place + 1) * symbols_]);
    ++counts_[(place + 1) * symbols_ + codes[order_[place]]];
  }
  std::array<uint32_t, kMostSymbols> to{};
  first_places_[0] = 0;
  for (size_t symbol = 0; symbol < symbols_; ++symbol) {
    to[symbol] = first_places_[symbol];
    first_places_[symbol + 1] = first_places_[symbol] + CountBefore(rows(), symbol);
  }
  // Two rows with the same code agree from where all that stood between them agreed; the first of a code with no one.
  const auto none = static_cast<uint32_t>(variant + 1);
  std::array<uint32_t, kMostSymbols> since;
  since.fill(none);
  for (size_t place = 0; place < rows(); ++place) {
    for (size_t symbol = 0; symbol < symbols_; ++symbol) since[symbol] = std::max(since[symbol], agree_[place]);
    const uint8_t code = codes[order_[place]];
    next_order_[to[code]] = order_[place];
    next_agree_[to[code]++] = since[code];
    since[code] = 0;
  }
  next_agree_[0] = none;
  next_agree_[rows()] = none;
  order_.swap(next_order_);
  agree_.swap(next_agree_);
}

}  // namespace genoserve
