// The feature by which a critic sees how varied its batch is.
#pragma once

#include <ATen/ATen.h>

namespace genoserve {

/// `features` [rows, n] with one more column that has the same value in each row: the mean over the n features of their
/// standard deviation over the rows (Karras et al. 2018, section 3). All rows should be real or all generated.
at::Tensor AppendMinibatchDeviation(const at::Tensor& features);

}  // namespace genoserve
