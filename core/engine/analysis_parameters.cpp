#include "core/engine/analysis_parameters.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::engine {

namespace {

constexpr int longest_range = 1 << 20; // positions; beyond any context

template <typename T>
std::optional<T> parse(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (true) {
        const std::size_t comma = text.find(',', begin);
        parts.push_back(text.substr(begin, comma - begin));
        if (comma == std::string::npos) return parts;
        begin = comma + 1;
    }
}

// A list written as a text: JSON, or parts between commas.
Json list_of(const Json& value) {
    if (!value.is_string()) return value.is_array() ? value : Json::array({value});
    const auto text = value.get<std::string>();
    if (!text.empty() && text.front() == '[')
        if (auto json = parse_json(text, "list"); json && json->is_array()) return *json;
    return split(text);
}

class Parameter {
public:
    Parameter(const std::string& analysis, const Json& entry, const TokenOfText& token_of)
        : analysis_(analysis), entry_(entry), name_(entry.at("name").get<std::string>()),
          type_(entry.at("type").get<std::string>()), token_of_(token_of) {}

    Result<Json> checked(const Json& value) const {
        if (value.is_null()) {
            if (entry_.at("default").is_null()) return value;
            return wrong(value);
        }
        if (type_ == "number") return number(value);
        if (type_ == "integer") return integer(value);
        if (type_ == "boolean") return boolean(value);
        if (type_ == "choice") return choice(value);
        if (type_ == "text") return value.is_string() ? Result<Json>(value) : wrong(value);
        if (type_ == "list") return texts(value);
        if (type_ == "positions") return positions(value);
        if (type_ == "token") return token(value);
        if (type_ == "rows") return rows(value);
        return tokens(value);
    }

private:
    tl::unexpected<Error> wrong(const Json& value) const {
        static const std::vector<std::pair<std::string, std::string>> wanted = {
            {"number", "a number"},
            {"integer", "a whole number"},
            {"boolean", "true or false"},
            {"choice", "one of its choices"},
            {"text", "a text"},
            {"list", "a list of texts"},
            {"positions", "all, a position, or a list such as 1,4 or 2:5"},
            {"token", "the id or the text of a token"},
            {"rows", "a file of prompts, written @FILE"},
            {"tokens", "the ids or texts of tokens"}};
        std::string what = type_;
        for (const auto& [type, text] : wanted)
            if (type == type_) what = text;
        return fail(Code::usage, fmt::format("Parameter {} of {} must be {}, not {}.", name_, analysis_, what,
                                             dump_json(value)));
    }

    template <typename T>
    Result<Json> within(T value) const {
        const Json min = entry_.value("min", Json());
        const Json max = entry_.value("max", Json());
        if ((min.is_number() && value < min.get<T>()) || (max.is_number() && value > max.get<T>())) {
            const std::string range = max.is_null() ? fmt::format("at least {}", dump_json(min))
                                      : min.is_null()
                                          ? fmt::format("at most {}", dump_json(max))
                                          : fmt::format("between {} and {}", dump_json(min), dump_json(max));
            return fail(Code::out_of_range, fmt::format("Parameter {} of {} must be {}, not {}.", name_,
                                                        analysis_, range, value));
        }
        return Json(value);
    }

    Result<Json> number(const Json& value) const {
        std::optional<double> parsed;
        if (value.is_number()) parsed = value.get<double>();
        if (value.is_string()) parsed = parse<double>(value.get_ref<const std::string&>());
        if (!parsed || !std::isfinite(*parsed)) return wrong(value);
        return within(*parsed);
    }

    static std::optional<std::int64_t> whole(const Json& value) {
        if (value.is_string()) return parse<std::int64_t>(value.get_ref<const std::string&>());
        if (value.is_number_integer()) return value.get<std::int64_t>();
        return std::nullopt;
    }

    Result<Json> integer(const Json& value) const {
        const auto parsed = whole(value);
        if (!parsed) return wrong(value);
        // Analyses read whole numbers as int.
        if (*parsed > INT32_MAX || *parsed < INT32_MIN)
            return fail(Code::out_of_range,
                        fmt::format("Parameter {} of {} is too large: {}.", name_, analysis_, *parsed));
        return within(*parsed);
    }

    Result<Json> boolean(const Json& value) const {
        if (value.is_boolean()) return value;
        if (value == "true" || value == "1") return Json(true);
        if (value == "false" || value == "0") return Json(false);
        return wrong(value);
    }

    Result<Json> choice(const Json& value) const {
        std::vector<std::string> choices;
        for (const Json& choice : entry_.at("choices")) {
            if (choice == value) return value;
            choices.push_back(choice.is_string() ? choice.get<std::string>() : dump_json(choice));
        }
        return fail(Code::out_of_range, fmt::format("Parameter {} of {} must be one of {}, not {}.", name_,
                                                    analysis_, fmt::join(choices, ", "), dump_json(value)));
    }

    Result<Json> texts(const Json& value) const {
        Json list = list_of(value);
        for (const Json& item : list)
            if (!item.is_string()) return wrong(value);
        return list;
    }

    Result<Json> positions(const Json& value) const {
        if (value == "all") return value;
        Json list = Json::array();
        for (const Json& item : list_of(value)) {
            if (const auto single = whole(item)) {
                list.push_back(*single);
                continue;
            }
            const std::string text = item.is_string() ? item.get<std::string>() : std::string();
            const std::size_t colon = text.find(':');
            if (colon == std::string::npos) return wrong(value);
            const auto begin = parse<int>(std::string_view(text).substr(0, colon));
            const auto end = parse<int>(std::string_view(text).substr(colon + 1));
            // The length of a row is not known here: a range may lie wholly before its end, not cross it.
            const bool crosses = begin && end && (*begin < 0) != (*end <= 0);
            if (!begin || !end || *begin >= *end || crosses || *end - *begin > longest_range)
                return wrong(value);
            for (int pos = *begin; pos < *end; ++pos)
                list.push_back(pos);
        }
        for (const Json& pos : list)
            if (pos.get<std::int64_t>() > INT32_MAX || pos.get<std::int64_t>() < INT32_MIN)
                return wrong(value);
        return list.size() == 1 ? list.front() : list;
    }

    Result<Json> token(const Json& value) const {
        if (const auto id = whole(value)) {
            if (*id < 0 || *id > INT32_MAX)
                return fail(Code::out_of_range,
                            fmt::format("Parameter {} of {}: there is no token {}.", name_, analysis_, *id));
            return Json(*id);
        }
        if (!value.is_string()) return wrong(value);
        if (!token_of_)
            return fail(Code::unsupported,
                        fmt::format("Parameter {} of {} must be an id: this model has no tokenizer.", name_,
                                    analysis_));
        VITRINE_ASSIGN(const std::int32_t id, token_of_(value.get_ref<const std::string&>()));
        return Json(id);
    }

    // What is read from the file by now, or still its name.
    Result<Json> rows(const Json& value) const {
        if (value.is_string() && value.get_ref<const std::string&>().starts_with('@')) return value;
        if (!value.is_array() || value.empty()) return wrong(value);
        for (const Json& row : value)
            if (!row.is_object() || !row.contains("ids") || !row["ids"].is_array() || row["ids"].empty())
                return wrong(value);
        return value;
    }

    // The whole text as one token first, so that a token may contain a comma.
    Result<Json> tokens(const Json& value) const {
        if (!value.is_array()) {
            if (auto single = token(value)) return Json::array({*single});
        }
        Json ids = Json::array();
        for (const Json& item : list_of(value)) {
            VITRINE_ASSIGN(Json id, token(item));
            ids.push_back(std::move(id));
        }
        return ids;
    }

    const std::string& analysis_;
    const Json& entry_;
    std::string name_, type_;
    const TokenOfText& token_of_;
};

} // namespace

Result<Json> check_parameters(const Json& manifest, const Json& given, const TokenOfText& token_of) {
    const auto id = manifest.at("id").get<std::string>();
    if (!given.is_null() && !given.is_object())
        return fail(Code::usage, fmt::format("The parameters of {} must be an object.", id));
    Json checked = Json::object();
    std::vector<std::string> names;
    for (const Json& entry : manifest.at("parameters")) {
        const auto name = entry.at("name").get<std::string>();
        names.push_back(name);
        if (given.is_object() && given.contains(name)) {
            VITRINE_ASSIGN(checked[name], Parameter(id, entry, token_of).checked(given.at(name)));
        } else {
            checked[name] = entry.at("default");
        }
    }
    for (const auto& [name, value] : given.items())
        if (!checked.contains(name))
            return fail(Code::usage, names.empty()
                                         ? fmt::format("{} has no parameter {}: it has none.", id, name)
                                         : fmt::format("{} has no parameter {}; it has {}.", id, name,
                                                       fmt::join(names, ", ")));
    return checked;
}

} // namespace vitrine::engine
