#include "app/cli/table.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

namespace vitrine::cli {

namespace {

// Code points, which is what a terminal shows as one cell for most scripts.
std::size_t columns_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padding(std::string_view text, std::size_t width) {
    const std::size_t columns = columns_of(text);
    return std::string(width > columns ? width - columns : 0, ' ');
}

std::string grouped(std::int64_t value) {
    std::string digits = fmt::format("{}", value < 0 ? -value : value);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), ",");
    return value < 0 ? "-" + digits : digits;
}

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n')
            out += "\\n";
        else if (c == '\t')
            out += "\\t";
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
            out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
        else
            out += c;
    }
    return out;
}

} // namespace

std::string cell(const Json& value) {
    if (value.is_null()) return "-";
    if (value.is_string()) return escaped(value.get<std::string>());
    if (value.is_number_integer()) return grouped(value.get<std::int64_t>());
    if (value.is_number()) {
        const auto number = value.get<double>();
        if (!std::isfinite(number)) return "-";
        // Three digits of a large number, written out: 1,850 and not 1.85e+03.
        if (std::abs(number) >= 1000 && std::abs(number) < 1e15) {
            const double unit = std::pow(10.0, std::floor(std::log10(std::abs(number))) - 2);
            return grouped(static_cast<std::int64_t>(std::llround(std::round(number / unit) * unit)));
        }
        return fmt::format("{:.3g}", number);
    }
    return dump_json(value);
}

std::string token_cell(const std::string& token) {
    const std::string text = escaped(token);
    const std::size_t first = std::min(text.find_first_not_of(' '), text.size());
    const std::size_t last = std::max(text.find_last_not_of(' ') + 1, first);
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (i < first || i >= last)
            out += "·";
        else
            out += text[i];
    return out;
}

std::string bytes_text(double bytes) {
    const char* units[] = {"B", "kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    while (bytes >= 1000 && unit + 1 < std::size(units)) {
        bytes /= 1000;
        ++unit;
    }
    return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.3g} {}", bytes, units[unit]);
}

void Table::add(const std::vector<Json>& values) {
    std::vector<Cell> row;
    for (const Json& value : values)
        row.push_back({cell(value), value.is_number() || value.is_null()});
    rows_.push_back(std::move(row));
}

std::string Table::text() const {
    std::vector<std::size_t> widths;
    std::vector<bool> right(header_.size(), true);
    for (const std::string& title : header_)
        widths.push_back(columns_of(title));
    for (const auto& row : rows_)
        for (std::size_t c = 0; c < row.size(); ++c) {
            widths[c] = std::max(widths[c], columns_of(row[c].text));
            if (!row[c].number) right[c] = false;
        }
    const auto line = [&](const auto& text_of) {
        std::string out;
        for (std::size_t c = 0; c < header_.size(); ++c) {
            const std::string& text = text_of(c);
            const std::string space = padding(text, widths[c]);
            out += (c == 0 ? "" : "  ") + (right[c] ? space + text : text + space);
        }
        out.erase(out.find_last_not_of(' ') + 1);
        return out + "\n";
    };
    std::string out = line([&](std::size_t c) -> const std::string& { return header_[c]; });
    for (const auto& row : rows_)
        out += line([&](std::size_t c) -> const std::string& { return row[c].text; });
    return out;
}

std::string fields_text(const Json& object) {
    std::size_t width = 0;
    for (const auto& [name, value] : object.items())
        width = std::max(width, columns_of(name));
    std::string out;
    for (const auto& [name, value] : object.items()) {
        if (value.is_object() || (value.is_array() && !value.empty() && value[0].is_object())) continue;
        out += name + padding(name, width) + "  " + cell(value) + "\n";
    }
    return out;
}

} // namespace vitrine::cli
