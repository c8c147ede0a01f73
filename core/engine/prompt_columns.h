#pragma once
// Columns of CSV files under the names that the field uses for them.
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace vitrine::engine {

/// What columns are read as, for help and refusals: "clean, corrupted, answer (label, correct, …), …".
std::string known_columns();

/// Which field of a row each column of a header is, by its place.
class PromptColumns {
public:
    /// `name` stands in the error sentences. malformed: a column of a file of pairs that nothing is known of,
    /// two columns for one field, or none with a prompt.
    static Result<PromptColumns> of(const std::vector<std::string>& header, const std::string& name);

    /// The fields of a record as a line of JSON has them: "prompt", "ids", "clean", "corrupted", "answer",
    /// "distractor", "position", and other columns under their own names; empty cells are left out. A label
    /// that is a year's last two digits, of a clean prompt that ends with the century again, becomes the
    /// later years (answer) and the others (distractor). `where` stands in the error sentences.
    Result<Json> fields(const std::vector<std::string>& record, const std::string& where) const;

private:
    struct Column {
        std::string name;
        std::string field;
        bool ids = false;
    };
    std::vector<Column> columns_;
};

} // namespace vitrine::engine
