#pragma once
// What people read: aligned columns and numbers of three significant digits.
#include <string>
#include <vector>

#include "core/base/json.h"

namespace vitrine::cli {

/// Three significant digits, "-" for null; integers whole with thousands separated; texts as they are,
/// control characters escaped.
std::string cell(const Json& value);

/// A token as a cell: leading and trailing spaces as "·", so that they are seen.
std::string token_cell(const std::string& token);

/// "7.4 MB", powers of ten.
std::string bytes_text(double bytes);

/// Cells that are displayed one column wide a code point, aligned: texts left, numbers right.
class Table {
public:
    explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
    void add(const std::vector<Json>& values);
    std::string text() const;

private:
    struct Cell {
        std::string text;
        bool number = false;
    };
    std::vector<std::string> header_;
    std::vector<std::vector<Cell>> rows_;
};

/// "name  value" lines of an object's members that are no objects or arrays of objects.
std::string fields_text(const Json& object);

} // namespace vitrine::cli
