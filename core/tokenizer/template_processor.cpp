#include "core/tokenizer/template_processor.h"

#include <utility>

#include <fmt/format.h>

#include "core/tokenizer/trim_offsets.h"

namespace vitrine::tokenizer {

namespace {

class TemplateProcessor final : public PostProcessor {
public:
    TemplateProcessor(std::vector<std::int32_t> before, std::vector<std::int32_t> after)
        : before_(std::move(before)), after_(std::move(after)) {}

    void trim_spans(bool prefix_space) { trims_ = prefix_space ? Trim::keeps_prefix_space : Trim::all; }

    void process(std::vector<Item>& items, std::string_view text, bool add_special) const override {
        if (trims_ != Trim::none) trim_offsets(items, text, trims_ == Trim::keeps_prefix_space);
        if (!add_special) return;
        const auto inserted = [](const std::vector<std::int32_t>& ids) {
            std::vector<Item> list;
            for (const auto id : ids)
                list.push_back({id, {}, {}, true});
            return list;
        };
        const auto before = inserted(before_);
        const auto after = inserted(after_);
        items.insert(items.begin(), before.begin(), before.end());
        items.insert(items.end(), after.begin(), after.end());
    }

private:
    enum class Trim { none, all, keeps_prefix_space };
    std::vector<std::int32_t> before_;
    std::vector<std::int32_t> after_;
    Trim trims_ = Trim::none;
};

/// The id of ["</s>", 2].
Result<std::int32_t> paired_id(const Component& component, const char* key) {
    VITRINE_ASSIGN(const LargeJson* pair, component.list(key));
    if (pair->size() != 2 || !(*pair)[1].is_number_unsigned() ||
        (*pair)[1].get<std::uint64_t>() > 0x7FFFFFFFU)
        return fail(Code::malformed,
                    fmt::format("{}: \"{}\" must be a token and its id.", component.where(), key));
    return (*pair)[1].get<std::int32_t>();
}

/// The ids that a special token of the template stands for.
Result<std::vector<std::int32_t>> ids_of(const Component& component, const std::string& name) {
    const auto bad = [&] {
        return fail(Code::malformed, fmt::format("{} uses the special token \"{}\" but gives no ids for it.",
                                                 component.where(), name));
    };
    const auto table = component.json().find("special_tokens");
    if (table == component.json().end() || !table->is_object()) return bad();
    const auto entry = table->find(name);
    if (entry == table->end() || !entry->is_object()) return bad();
    const auto ids = entry->find("ids");
    if (ids == entry->end() || !ids->is_array()) return bad();
    std::vector<std::int32_t> list;
    for (const auto& id : *ids) {
        if (!id.is_number_unsigned() || id.get<std::uint64_t>() > 0x7FFFFFFFU) return bad();
        list.push_back(id.get<std::int32_t>());
    }
    return list;
}

} // namespace

Result<std::unique_ptr<PostProcessor>> make_template_processor(const Component& component) {
    VITRINE_ASSIGN(const LargeJson* pieces, component.list("single"));
    const auto bad = [&] {
        return fail(Code::malformed,
                    fmt::format("{}: \"single\" must hold the text once, between special tokens.",
                                component.where()));
    };
    std::vector<std::int32_t> before;
    std::vector<std::int32_t> after;
    bool seen_text = false;
    for (const auto& piece : *pieces) {
        if (!piece.is_object() || piece.size() != 1 || !piece.begin()->is_object()) return bad();
        if (piece.begin().key() == "Sequence") {
            if (std::exchange(seen_text, true)) return bad();
            continue;
        }
        if (piece.begin().key() != "SpecialToken") return bad();
        VITRINE_ASSIGN(const Component special, component.inside(*piece.begin()));
        VITRINE_ASSIGN(const std::string name, special.text("id"));
        VITRINE_ASSIGN(const auto ids, ids_of(component, name));
        auto& place = seen_text ? after : before;
        place.insert(place.end(), ids.begin(), ids.end());
    }
    if (!seen_text) return bad();
    return std::make_unique<TemplateProcessor>(std::move(before), std::move(after));
}

Result<std::unique_ptr<PostProcessor>> make_pair_processor(const Component& component) {
    VITRINE_ASSIGN(const std::int32_t before, paired_id(component, "cls"));
    VITRINE_ASSIGN(const std::int32_t after, paired_id(component, "sep"));
    const bool roberta = component.type() == "RobertaProcessing";
    VITRINE_ASSIGN(const bool trims, component.flag("trim_offsets", roberta));
    VITRINE_ASSIGN(const bool prefix_space, component.flag("add_prefix_space", true));
    auto processor = std::make_unique<TemplateProcessor>(std::vector{before}, std::vector{after});
    if (roberta && trims) processor->trim_spans(prefix_space);
    return processor;
}

std::unique_ptr<PostProcessor> make_surrounding(std::vector<std::int32_t> before,
                                                std::vector<std::int32_t> after) {
    return std::make_unique<TemplateProcessor>(std::move(before), std::move(after));
}

} // namespace vitrine::tokenizer
