// What benches make of what they measured.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

namespace genoserve {

/// The value that `part` of the values do not pass; 0 where there are none.
inline double Percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto index = static_cast<size_t>(std::ceil(part * static_cast<double>(values.size())));
  return values[std::max<size_t>(index, 1) - 1];
}

/// A figure of /proc/PID/status in MB, such as VmRSS; 0 where there is no such process.
inline double ProcessMegabytes(int pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, name.size() + 1, name + ":") == 0) return std::stod(line.substr(name.size() + 1)) / 1024;
  }
  return 0;
}

}  // namespace genoserve
