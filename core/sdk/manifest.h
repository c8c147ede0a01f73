#pragma once
// What an analysis says about itself. The form in the window, the subcommand, the row in the session and the
// views are made from it alone.
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace vitrine::sdk {

using Json = nlohmann::ordered_json;

/// Builds the manifest of abi.h. A default of nullptr means that the parameter may be left out.
class Manifest {
public:
    Manifest(const std::string& id, const std::string& title)
        : json_{{"id", id},
                {"title", title},
                {"summary", ""},
                {"citation", ""},
                {"prompts", "required"},
                {"parameters", Json::array()},
                {"results", Json::array()}} {}

    Manifest& summary(const std::string& text) { return set("summary", text); }
    Manifest& citation(const std::string& text) { return set("citation", text); }
    /// The analysis makes rows of its own where none are given.
    Manifest& prompts_optional() { return set("prompts", "optional"); }
    /// The analysis reads the model alone.
    Manifest& no_prompts() { return set("prompts", "none"); }

    /// The analysis runs on the checkpoints of a training (Need::checkpoint).
    Manifest& checkpoints() {
        json_["checkpoints"] = true;
        return *this;
    }

    Manifest& number(const std::string& name, Json value, const std::string& doc, Json min = nullptr,
                     Json max = nullptr) {
        return parameter(name, "number", std::move(value), doc, std::move(min), std::move(max));
    }
    Manifest& integer(const std::string& name, Json value, const std::string& doc, Json min = nullptr,
                      Json max = nullptr) {
        return parameter(name, "integer", std::move(value), doc, std::move(min), std::move(max));
    }
    Manifest& boolean(const std::string& name, bool value, const std::string& doc) {
        return parameter(name, "boolean", value, doc);
    }
    /// The first choice is the default.
    Manifest& choice(const std::string& name, const std::vector<std::string>& choices,
                     const std::string& doc) {
        return parameter(name, "choice", choices.front(), doc, nullptr, nullptr, choices);
    }
    Manifest& text(const std::string& name, Json value, const std::string& doc) {
        return parameter(name, "text", std::move(value), doc);
    }
    /// A folder or file of a tuned lens. The program reads it, refuses what does not fit the model, and hands
    /// out its weights as lens.I.W and lens.I.b.
    Manifest& tuned_lens(const std::string& name, const std::string& doc) {
        text(name, nullptr, doc);
        json_["parameters"].back()["reads"] = "tuned-lens";
        return *this;
    }
    /// Texts between commas; a default of nullptr: none.
    Manifest& list(const std::string& name, Json value, const std::string& doc) {
        return parameter(name, "list", std::move(value), doc);
    }
    Manifest& positions(const std::string& name, Json value, const std::string& doc) {
        return parameter(name, "positions", std::move(value), doc);
    }
    /// Lets the user choose raw or folded coordinates. The program sees to it: runs answer in them and
    /// weights come in them, so that the analysis need not know (folded norms have no weights, for example).
    Manifest& coordinates() {
        return choice("coordinates", {"raw", "folded"},
                      "raw: as the model's file has it; folded: norms' weights and value biases folded, what "
                      "writes into the residual stream and the unembedding centred");
    }
    /// Further texts, read from a file of prompts that the user writes as @FILE; without one: null.
    Manifest& rows(const std::string& name, const std::string& doc) {
        return parameter(name, "rows", nullptr, doc);
    }
    Manifest& tokens(const std::string& name, const std::string& doc) {
        return parameter(name, "tokens", nullptr, doc);
    }

    Manifest& result(const std::string& name, const std::string& kind, const std::string& doc) {
        json_["results"].push_back({{"name", name}, {"kind", kind}, {"doc", doc}});
        return *this;
    }

    const Json& json() const { return json_; }

private:
    Manifest& set(const char* key, const std::string& value) {
        json_[key] = value;
        return *this;
    }
    Manifest& parameter(const std::string& name, const std::string& type, Json value, const std::string& doc,
                        Json min = nullptr, Json max = nullptr, Json choices = nullptr) {
        json_["parameters"].push_back({{"name", name},
                                       {"type", type},
                                       {"default", std::move(value)},
                                       {"min", std::move(min)},
                                       {"max", std::move(max)},
                                       {"choices", std::move(choices)},
                                       {"doc", doc}});
        return *this;
    }

    Json json_;
};

} // namespace vitrine::sdk
