// Queries of URLs and bodies of forms.
#pragma once

#include <map>
#include <string>

namespace genoserve {

/// "a=1&b=%2F": names in order and with '=', as what is signed must be; all but letters, digits and "-_.~" escaped.
std::string FormatQuery(const std::map<std::string, std::string>& query);

}  // namespace genoserve
