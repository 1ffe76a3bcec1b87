// The gate: which figures a cohort must reach to be published or served.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// The limits that hold where the user gives none; docs/quality.md tells why each is what it is. Limits of privacy are
/// hard; limits of fidelity are set between the floor and the naive draws of the same data, so that a small panel asks
/// no more of a generator than its size can show.
const v1::Gate& DefaultGate();

/// Reads a gate file: a Gate message as protobuf text. INVALID_ARGUMENT, with line and column or with the limit, where
/// it cannot be read, names a figure that is not measured, or has a limit without a bound.
absl::StatusOr<v1::Gate> ParseGate(absl::string_view text);

/// DefaultGate() for "default", else the gate file of this path. Errors name the file.
absl::StatusOr<v1::Gate> ReadGate(absl::string_view name_or_path);

/// Holds the figures against the limits, writes each bound that was effective into the figure's minimum and maximum,
/// and returns the outcome, with one message a breach: what the value is, what is allowed, and why. A floor_gap does
/// not bind where the naive draws are no worse than the floor, intervals considered: there the panel cannot tell a good
/// generator from a naive one.
v1::GateResult Judge(const v1::Gate& gate, absl::string_view gate_name,
                     google::protobuf::RepeatedPtrField<v1::Figure>* figures);

}  // namespace genoserve
