// A whole Quality message for tests of what is made of one: figures of every family, every kind of chart, 26 labels of
// which one is hostile, and figures that could not be computed.
#pragma once

#include <string>

#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// A label that breaks out of a careless page.
inline constexpr char kHostileLabel[] = "</script><img src=x onerror=\"document.title='broken'\">{{style}}&amp;";

/// The message. Equal on every call.
v1::Quality TestQuality();

}  // namespace genoserve
