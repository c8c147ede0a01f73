#pragma once
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/chat/syntax.h"

namespace vitrine::chat {

/// Where in a rendered text a message lies, its markers included: bytes [begin, end).
struct RoleSpan {
    std::string role;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool operator==(const RoleSpan&) const = default;
};

struct Rendered {
    std::string text;
    std::vector<RoleSpan> roles; ///< of the messages that a loop went over, in the order of the text
};

/// Runs a template with variables, in at most so many steps (an expression or a statement; more for one that
/// makes a large value). Errors: malformed with the line, the template's own raise_exception included;
/// unsupported: a filter or test that Vitrine does not know; too_large: a template that does not come to an
/// end, or makes too large a value.
Result<Rendered> render(const Block& block, const Dict& variables, std::size_t most_steps);

} // namespace vitrine::chat
