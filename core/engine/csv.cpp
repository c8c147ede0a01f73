#include "core/engine/csv.h"

#include <fmt/format.h>

namespace vitrine::engine {

Result<std::vector<CsvRecord>> parse_csv(std::string_view text, std::string_view name) {
    std::vector<CsvRecord> records;
    std::size_t line = 1;
    std::size_t at = 0;
    while (at < text.size()) {
        CsvRecord record;
        record.line = line;
        const std::size_t begin = at;
        for (bool more = true; more;) {
            std::string field;
            if (at < text.size() && text[at] == '"') {
                const std::size_t opened = line;
                for (++at;; ++at) {
                    if (at == text.size())
                        return fail(Code::malformed,
                                    fmt::format("{}: the quote of line {} is not closed.", name, opened));
                    if (text[at] == '\n') ++line;
                    if (text[at] != '"') {
                        field += text[at];
                    } else if (at + 1 < text.size() && text[at + 1] == '"') {
                        field += '"';
                        ++at;
                    } else {
                        ++at;
                        break;
                    }
                }
            }
            while (at < text.size() && text[at] != ',' && text[at] != '\n')
                field += text[at++];
            more = at < text.size() && text[at] == ',';
            if (!more && !field.empty() && field.back() == '\r') field.pop_back();
            record.fields.push_back(std::move(field));
            if (more) ++at;
        }
        const bool blank = record.fields.size() == 1 && record.fields[0].empty() && text[begin] != '"';
        if (!blank) records.push_back(std::move(record));
        if (at < text.size()) {
            ++at;
            ++line;
        }
    }
    return records;
}

} // namespace vitrine::engine
