// CRC-32C (Castagnoli), the checksum of a batch on the wire.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace genoserve {

/// The CRC-32C of `bytes`, reflected polynomial 0x82F63B78, initial value and final xor 0xFFFFFFFF (RFC 3720, B.4).
uint32_t Crc32c(absl::string_view bytes);

}  // namespace genoserve
