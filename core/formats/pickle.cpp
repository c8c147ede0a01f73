#include "core/formats/pickle.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace vitrine::formats {

namespace {

enum class Kind {
    none,
    flag,
    whole,
    real,
    text,
    tuple,
    list,
    dictionary,
    storage_type,      ///< torch.FloatStorage and its like; `dtype`
    make_dictionary,   ///< collections.OrderedDict
    rebuild_tensor,    ///< torch._utils._rebuild_tensor_v2
    rebuild_parameter, ///< torch._utils._rebuild_parameter
    storage,
    tensor,
    mark,
};

/// What a pickle's instructions push. Values refer to one another by address and live in the interpreter, so
/// that no shape of reference (loops too) can make freeing them recurse or fail.
struct Value {
    Kind kind = Kind::none;
    std::int64_t whole = 0;
    std::string_view text;             ///< also a storage's key
    DType dtype = DType::f32;          ///< of storages and their types
    std::vector<const Value*> members; ///< of tuples and lists; key, value, key, … of dictionaries
    std::unique_ptr<PickledTensor> tensor;
};

struct Global {
    std::string_view module, name;
    Kind kind;
    DType dtype = DType::f32;
};

/// Everything a pickle may name.
constexpr std::array<Global, 13> globals{{
    {"collections", "OrderedDict", Kind::make_dictionary},
    {"torch._utils", "_rebuild_tensor_v2", Kind::rebuild_tensor},
    {"torch._utils", "_rebuild_parameter", Kind::rebuild_parameter},
    {"torch", "FloatStorage", Kind::storage_type, DType::f32},
    {"torch", "HalfStorage", Kind::storage_type, DType::f16},
    {"torch", "BFloat16Storage", Kind::storage_type, DType::bf16},
    {"torch", "DoubleStorage", Kind::storage_type, DType::f64},
    {"torch", "LongStorage", Kind::storage_type, DType::i64},
    {"torch", "IntStorage", Kind::storage_type, DType::i32},
    {"torch", "ShortStorage", Kind::storage_type, DType::i16},
    {"torch", "CharStorage", Kind::storage_type, DType::i8},
    {"torch", "ByteStorage", Kind::storage_type, DType::u8},
    {"torch", "BoolStorage", Kind::storage_type, DType::boolean},
}};

constexpr std::size_t most_axes = 64;
constexpr std::size_t largest_pickle = std::size_t{16} << 20; // some 80,000 tensors

/// Instructions, as Python's pickletools lists them. Protocols 2 to 5 write these for what is allowed here.
enum Instruction : std::uint8_t {
    op_mark = '(',
    op_stop = '.',
    op_pop = '0',
    op_pop_mark = '1',
    op_binfloat = 'G',
    op_binint = 'J',
    op_binint1 = 'K',
    op_binint2 = 'M',
    op_none = 'N',
    op_persistent = 'Q',
    op_reduce = 'R',
    op_binstring = 'T',
    op_short_binstring = 'U',
    op_binunicode = 'X',
    op_append = 'a',
    op_build = 'b',
    op_global = 'c',
    op_appends = 'e',
    op_binget = 'h',
    op_long_binget = 'j',
    op_binput = 'q',
    op_long_binput = 'r',
    op_setitem = 's',
    op_tuple = 't',
    op_setitems = 'u',
    op_empty_dict = '}',
    op_empty_list = ']',
    op_empty_tuple = ')',
    op_proto = 0x80,
    op_tuple1 = 0x85,
    op_tuple2 = 0x86,
    op_tuple3 = 0x87,
    op_true = 0x88,
    op_false = 0x89,
    op_long1 = 0x8a,
    op_short_binunicode = 0x8c,
    op_stack_global = 0x93,
    op_memoize = 0x94,
    op_frame = 0x95,
};

class Interpreter {
public:
    Interpreter(std::span<const std::byte> pickle, std::string_view file_name)
        : bytes_(pickle), file_name_(file_name) {}

    /// The value that is left at the end.
    Result<const Value*> run() {
        for (;;) {
            const std::size_t at = at_;
            const auto code = number<std::uint8_t>();
            if (code == op_stop && ok_) break;
            const bool known = step(code);
            if (error_) return tl::unexpected(*error_);
            if (!known && ok_)
                return fail(Code::unsupported,
                            fmt::format("{}: the pickle has the instruction 0x{:02x} at byte {}, which saved "
                                        "tensors do not need; it is not loaded.",
                                        file_name_, code, at));
            if (!ok_) return malformed(at);
        }
        if (stack_.size() != 1) return malformed(at_);
        return stack_.back();
    }

private:
    tl::unexpected<Error> malformed(std::size_t at) const {
        return fail(Code::malformed,
                    fmt::format("{}: the pickle is damaged at byte {}; download it again.", file_name_, at));
    }

    template <typename T>
    T number() {
        T value{};
        const std::string_view from = take(sizeof value);
        if (ok_) std::memcpy(&value, from.data(), sizeof value);
        return value;
    }
    std::string_view take(std::uint64_t count) {
        if (count > bytes_.size() - at_) {
            ok_ = false;
            return {};
        }
        const std::string_view part(reinterpret_cast<const char*>(bytes_.data()) + at_,
                                    static_cast<std::size_t>(count));
        at_ += part.size();
        return part;
    }
    std::string_view line() {
        const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + at_, bytes_.size() - at_);
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos) ok_ = false;
        const std::string_view text = take(ok_ ? end + 1 : 0);
        return text.substr(0, text.empty() ? 0 : text.size() - 1);
    }

    Value& make(Kind kind) {
        Value& value = values_.emplace_back();
        value.kind = kind;
        return value;
    }
    Value& push(Kind kind) {
        Value& value = make(kind);
        stack_.push_back(&value);
        return value;
    }
    void push_whole(std::int64_t number) { push(Kind::whole).whole = number; }
    void push_text(std::string_view text) { push(Kind::text).text = text; }

    /// A value of its own kind if there is nothing to pop; then ok_ is false.
    Value* pop() {
        if (stack_.empty() || stack_.back()->kind == Kind::mark) {
            ok_ = false;
            return &make(Kind::none);
        }
        Value* value = stack_.back();
        stack_.pop_back();
        return value;
    }
    /// The values above the last mark, which goes too.
    std::vector<const Value*> pop_to_mark() {
        const auto mark = std::find_if(stack_.rbegin(), stack_.rend(),
                                       [](const Value* value) { return value->kind == Kind::mark; });
        if (mark == stack_.rend()) {
            ok_ = false;
            return {};
        }
        std::vector<const Value*> members(mark.base(), stack_.end());
        stack_.erase(mark.base() - 1, stack_.end());
        return members;
    }
    Value* top(Kind kind) {
        if (stack_.empty() || stack_.back()->kind != kind) {
            ok_ = false;
            return &make(kind);
        }
        return stack_.back();
    }
    void push_tuple(std::size_t count) {
        std::vector<const Value*> members(count);
        for (std::size_t i = count; i-- > 0;)
            members[i] = pop();
        push(Kind::tuple).members = std::move(members);
    }
    void remember(std::uint32_t index) {
        if (stack_.empty())
            ok_ = false;
        else
            memo_[index] = stack_.back();
    }
    void recall(std::uint32_t index) {
        const auto found = memo_.find(index);
        if (found == memo_.end())
            ok_ = false;
        else
            stack_.push_back(found->second);
    }
    static void add_all(Value* to, const std::vector<const Value*>& members) {
        to->members.insert(to->members.end(), members.begin(), members.end());
    }

    /// False for an instruction that is not allowed.
    bool step(std::uint8_t code) {
        switch (code) {
        case op_proto:
            take(1);
            return true;
        case op_frame:
            take(8);
            return true;
        case op_mark:
            push(Kind::mark);
            return true;
        case op_pop:
            pop();
            return true;
        case op_pop_mark:
            pop_to_mark();
            return true;
        case op_none:
            push(Kind::none);
            return true;
        case op_true:
        case op_false:
            push(Kind::flag).whole = code == op_true ? 1 : 0;
            return true;
        case op_binint:
            push_whole(number<std::int32_t>());
            return true;
        case op_binint1:
            push_whole(number<std::uint8_t>());
            return true;
        case op_binint2:
            push_whole(number<std::uint16_t>());
            return true;
        case op_long1:
            push_long();
            return true;
        case op_binfloat:
            take(8);
            push(Kind::real);
            return true;
        case op_binunicode:
        case op_binstring:
            push_text(take(number<std::uint32_t>()));
            return true;
        case op_short_binunicode:
        case op_short_binstring:
            push_text(take(number<std::uint8_t>()));
            return true;
        default:
            return step_containers(code) || step_objects(code);
        }
    }

    bool step_containers(std::uint8_t code) {
        switch (code) {
        case op_empty_tuple:
            push(Kind::tuple);
            return true;
        case op_empty_list:
            push(Kind::list);
            return true;
        case op_empty_dict:
            push(Kind::dictionary);
            return true;
        case op_tuple: {
            auto members = pop_to_mark();
            push(Kind::tuple).members = std::move(members);
            return true;
        }
        case op_tuple1:
        case op_tuple2:
        case op_tuple3:
            push_tuple(static_cast<std::size_t>(code - op_tuple1) + 1);
            return true;
        case op_append: {
            const Value* member = pop();
            top(Kind::list)->members.push_back(member);
            return true;
        }
        case op_appends: {
            const auto members = pop_to_mark();
            add_all(top(Kind::list), members);
            return true;
        }
        case op_setitem: {
            const Value* value = pop();
            const Value* key = pop();
            add_all(top(Kind::dictionary), {key, value});
            return true;
        }
        case op_setitems: {
            const auto members = pop_to_mark();
            ok_ = ok_ && members.size() % 2 == 0;
            add_all(top(Kind::dictionary), members);
            return true;
        }
        default:
            return false;
        }
    }

    bool step_objects(std::uint8_t code) {
        switch (code) {
        case op_binput:
            remember(number<std::uint8_t>());
            return true;
        case op_long_binput:
            remember(number<std::uint32_t>());
            return true;
        case op_memoize:
            remember(static_cast<std::uint32_t>(memo_.size()));
            return true;
        case op_binget:
            recall(number<std::uint8_t>());
            return true;
        case op_long_binget:
            recall(number<std::uint32_t>());
            return true;
        case op_global: {
            const std::string_view module = line();
            push_global(module, line());
            return true;
        }
        case op_stack_global: {
            const Value* name = pop();
            const Value* module = pop();
            push_global(module->text, name->text);
            return true;
        }
        case op_persistent:
            push_storage(*pop());
            return true;
        case op_reduce: {
            const Value* arguments = pop();
            const Value* function = pop();
            reduce(*function, *arguments);
            return true;
        }
        case op_build:
            // An OrderedDict's attributes (PyTorch keeps versions there): nothing that is read.
            pop();
            top(Kind::dictionary);
            return true;
        default:
            return false;
        }
    }

    void push_long() {
        const std::string_view bytes = take(number<std::uint8_t>());
        if (bytes.size() > 8) ok_ = false;
        if (!ok_) return;
        std::uint64_t number = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
        std::memcpy(&number, bytes.data(), bytes.size());
        push_whole(static_cast<std::int64_t>(number));
    }

    void push_global(std::string_view module, std::string_view name) {
        if (!ok_) return;
        for (const Global& global : globals) {
            if (global.module != module || global.name != name) continue;
            push(global.kind).dtype = global.dtype;
            return;
        }
        error_ =
            Error{Code::unsupported,
                  fmt::format("{}: the pickle asks for {}.{}, which is not needed to build tensors and could "
                              "run any program; it is not loaded.",
                              file_name_, printable(module), printable(name))};
    }

    /// Names come from an untrusted file: short, and in ASCII.
    static std::string printable(std::string_view text) {
        constexpr std::size_t longest = 80;
        std::string shown;
        for (const char c : text.substr(0, longest))
            shown += c >= ' ' && c <= '~' ? c : '?';
        return shown;
    }

    /// ("storage", type, key, place, elements)
    void push_storage(const Value& id) {
        const auto& parts = id.members;
        if (id.kind != Kind::tuple || parts.size() != 5 || parts[0]->text != "storage" ||
            parts[1]->kind != Kind::storage_type || parts[2]->kind != Kind::text ||
            parts[4]->kind != Kind::whole || parts[4]->whole < 0) {
            ok_ = false;
            return;
        }
        Value& storage = push(Kind::storage);
        storage.dtype = parts[1]->dtype;
        storage.text = parts[2]->text;
        storage.whole = parts[4]->whole;
    }

    void reduce(const Value& function, const Value& arguments) {
        if (arguments.kind != Kind::tuple) ok_ = false;
        if (!ok_) return;
        const auto& given = arguments.members;
        if (function.kind == Kind::make_dictionary) {
            // Python 2 wrote OrderedDict([…pairs…]).
            Value& made = push(Kind::dictionary);
            if (given.size() > 1 || (given.size() == 1 && given[0]->kind != Kind::list)) ok_ = false;
            if (given.size() != 1 || !ok_) return;
            // A list may be named again and again; what Python writes names each once.
            copied_ += given[0]->members.size();
            ok_ = copied_ <= bytes_.size();
            for (const Value* pair : given[0]->members) {
                ok_ = ok_ && pair->members.size() == 2;
                if (ok_) add_all(&made, pair->members);
            }
        } else if (function.kind == Kind::rebuild_tensor) {
            ok_ = given.size() >= 4 && rebuild(*given[0], *given[1], *given[2], *given[3]);
        } else if (function.kind == Kind::rebuild_parameter) {
            ok_ = !given.empty() && given[0]->kind == Kind::tensor;
            if (ok_) push_tensor(*given[0]->tensor);
        } else {
            ok_ = false;
        }
    }

    void push_tensor(PickledTensor tensor) {
        push(Kind::tensor).tensor = std::make_unique<PickledTensor>(std::move(tensor));
    }

    bool rebuild(const Value& storage, const Value& offset, const Value& sizes, const Value& strides) {
        if (storage.kind != Kind::storage || offset.kind != Kind::whole || offset.whole < 0 ||
            sizes.kind != Kind::tuple || strides.kind != Kind::tuple ||
            sizes.members.size() != strides.members.size() || sizes.members.size() > most_axes)
            return false;
        PickledTensor tensor;
        tensor.storage = storage.text;
        tensor.dtype = storage.dtype;
        tensor.storage_elements = storage.whole;
        tensor.offset = offset.whole;
        std::int64_t count = 1;
        std::int64_t last = offset.whole; // the element that lies furthest
        bool fits = true;
        for (std::size_t i = 0; i < sizes.members.size(); ++i) {
            const Value& size = *sizes.members[i];
            const Value& stride = *strides.members[i];
            if (size.kind != Kind::whole || stride.kind != Kind::whole || size.whole < 0 || stride.whole < 0)
                return false;
            tensor.shape.push_back(size.whole);
            tensor.strides.push_back(stride.whole);
            fits = fits && !__builtin_mul_overflow(count, size.whole, &count);
            std::int64_t reach = 0;
            fits =
                fits && (size.whole == 0 || (!__builtin_mul_overflow(size.whole - 1, stride.whole, &reach) &&
                                             !__builtin_add_overflow(last, reach, &last)));
        }
        if (!fits) return false;
        if (count > 0 && last >= storage.whole) return false;
        push_tensor(std::move(tensor));
        return true;
    }

    std::span<const std::byte> bytes_;
    std::string_view file_name_;
    std::size_t at_ = 0;
    std::size_t copied_ = 0; // pairs of lists into dictionaries
    bool ok_ = true;
    std::optional<Error> error_;
    std::deque<Value> values_; // addresses stay
    std::vector<Value*> stack_;
    std::unordered_map<std::uint32_t, Value*> memo_;
};

} // namespace

Result<std::vector<PickledTensor>> unpickle_tensors(std::span<const std::byte> pickle,
                                                    std::string_view file_name) {
    if (pickle.size() > largest_pickle)
        return fail(Code::too_large, fmt::format("{}: the pickle has {} bytes; tensors need fewer than {}.",
                                                 file_name, pickle.size(), largest_pickle));
    Interpreter interpreter(pickle, file_name);
    VITRINE_ASSIGN(const Value* result, interpreter.run());
    if (result->kind != Kind::dictionary)
        return fail(
            Code::unsupported,
            fmt::format("{} holds no dictionary of tensors; save the model's state_dict().", file_name));
    std::vector<PickledTensor> tensors;
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i + 1 < result->members.size(); i += 2) {
        const Value& key = *result->members[i];
        const Value& value = *result->members[i + 1];
        if (key.kind != Kind::text || value.kind != Kind::tensor) continue;
        const auto [place, fresh] = places.emplace(key.text, tensors.size());
        if (fresh) tensors.emplace_back();
        tensors[place->second] = *value.tensor; // as in Python, the last one counts
        tensors[place->second].name = key.text;
    }
    return tensors;
}

} // namespace vitrine::formats
