#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace vitrine::engine {

/// One record of a CSV file and the line where it starts (from 1).
struct CsvRecord {
    std::vector<std::string> fields;
    std::size_t line = 1;
};

/// RFC 4180: fields in double quotes may hold commas, line ends and doubled quotes. Records without any
/// character are left out. malformed for a quote that is not closed; `name` stands in the sentence.
Result<std::vector<CsvRecord>> parse_csv(std::string_view text, std::string_view name);

} // namespace vitrine::engine
