#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace vitrine::chat {

struct LexToken {
    enum class Kind {
        text,        ///< what stands between tags, after their white space control
        print_begin, ///< {{
        print_end,   ///< }}
        block_begin, ///< {%
        block_end,   ///< %}
        name,
        text_literal, ///< without quotes, escapes resolved
        integer,
        real,
        symbol, ///< operators and brackets
        end,
    };
    Kind kind = Kind::end;
    std::string text;
    int line = 1;
};

/// Cuts a template into tokens as Jinja does with trim_blocks and lstrip_blocks: a line end behind a block
/// and spaces before one on its line go, "-" takes all white space along. malformed, with the line.
Result<std::vector<LexToken>> lex(std::string_view source);

/// malformed: "The chat template is wrong in line 3: …".
tl::unexpected<Error> template_error(int line, std::string_view what);

} // namespace vitrine::chat
