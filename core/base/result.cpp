#include "core/base/result.h"

namespace vitrine {

std::string_view code_name(Code code) {
    switch (code) {
    case Code::usage:
        return "usage";
    case Code::not_found:
        return "not-found";
    case Code::unsupported:
        return "unsupported";
    case Code::malformed:
        return "malformed";
    case Code::out_of_range:
        return "out-of-range";
    case Code::too_large:
        return "too-large";
    case Code::device:
        return "device";
    case Code::out_of_memory:
        return "out-of-memory";
    case Code::io:
        return "io";
    case Code::session:
        return "session";
    case Code::cancelled:
        return "cancelled";
    case Code::internal:
        return "internal";
    }
    return "internal";
}

} // namespace vitrine
