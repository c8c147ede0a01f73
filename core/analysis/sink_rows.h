#pragma once
// What the analyses of sinks say about their rows.
#include <optional>
#include <string>
#include <vector>

#include "core/sdk/input.h"
#include "core/sdk/output.h"

namespace vitrine::analysis {

/// "4 rows of 64 tokens; no special token (BOS) comes first."
std::string describe_rows(const std::vector<sdk::Row>& rows);

/// The sink's position in each row, from a parameter that counts negative ones from the end; out-of-range
/// where a row is too short.
std::optional<sdk::Failure> keys_of(const sdk::Start& start, const char* parameter, std::vector<int>& keys);

/// The row with the model's BOS in front, or without the special token that starts it.
sdk::Row with_bos(const sdk::Row& row, std::int32_t bos);
sdk::Row without_bos(const sdk::Row& row);
/// The first `length` tokens.
sdk::Row cut(sdk::Row row, int length);

} // namespace vitrine::analysis
