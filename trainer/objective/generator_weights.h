// The trainable weights of a generator before its first step.
#pragma once

#include "core/model/weights.h"
#include "genoserve/v1/manifest.pb.h"
#include "trainer/objective/parameters.h"

namespace genoserve {

/// Random weights under the names and shapes of ShapeOfGenerator. acgan: Glorot; wgan-gp: uniform (the two papers'
/// frameworks' defaults), and <layer>.norm.{weight,bias} (1 and 0) for first and residual layers. Where `from_data`,
/// the rank layer begins at a tenth of that, so that what starts from the data is not drowned; label_logits begin at 0.
Parameters InitialGenerator(const v1::Manifest& manifest, const GeneratorShape& shape, bool from_data,
                            TrainingNoise& noise);

}  // namespace genoserve
