// For tests: one GET over HTTP on this machine.
#pragma once

#include <civetweb.h>

#include <array>
#include <string>

#include "absl/strings/str_cat.h"

namespace genoserve {

/// The status code, a line end, and the body that a server on 127.0.0.1 answers; what went wrong where it does not.
inline std::string HttpGet(int port, const std::string& path) {
  std::array<char, 200> error{};
  mg_connection* connection = mg_download("127.0.0.1", port, 0, error.data(), error.size(), "%s",
                                          absl::StrCat("GET ", path, " HTTP/1.0\r\n\r\n").c_str());
  if (connection == nullptr) return error.data();
  const mg_response_info* info = mg_get_response_info(connection);
  std::string answer = absl::StrCat(info->status_code, "\n");
  std::array<char, 4096> buffer{};
  for (int size = 0; (size = mg_read(connection, buffer.data(), buffer.size())) > 0;) {
    answer.append(buffer.data(), static_cast<size_t>(size));
  }
  mg_close_connection(connection);
  return answer;
}

}  // namespace genoserve
