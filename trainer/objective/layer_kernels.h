// What the layers of a step do to values between two products, by the vector. Plain arrays: no LibTorch here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace genoserve {

/// bfloat16 values, given by their bits, as floats and back, to the nearest with ties to even. NaN stays NaN.
void FloatsOfBf16(const uint16_t* from, size_t count, float* to);
void Bf16OfFloats(const float* from, size_t count, uint16_t* to);

/// values <- r(values + bias), where r(x) is x above 0 and slope * x below.
void AddBiasAndRectify(const float* bias, float slope, size_t count, float* values);

/// The gradient by what AddBiasAndRectify was given from that by `rectified`, which it made (slope 0 or more); in place
/// if `gradients` is `to`. It is added to `sums` too.
void RectifyGradient(const float* gradients, const float* rectified, float slope, size_t count, float* to, float* sums);

/// Draws alleles in the place of values: with p = sigmoid((values + base + noise) / temperature), p itself or, where
/// `rounded`, 1 where p is above 0.5, else 0. Where `slopes` is not null, slopes <- p (1 - p) / temperature, the
/// derivative of p by the values. noise is standard logistic.
void DrawAlleles(const float* base, const float* noise, float temperature, bool rounded, size_t count, float* values,
                 float* slopes);

/// to <- gradients * slopes, which is added to `sums` too. In place if `gradients` or `slopes` is `to`.
void AllelesGradient(const float* gradients, const float* slopes, size_t count, float* to, float* sums);

}  // namespace genoserve
