#include "core/tokenizer/pre_tokenizer.h"

#include <utility>

#include "core/tokenizer/byte_level_pre_tokenizer.h"
#include "core/tokenizer/metaspace.h"
#include "core/tokenizer/splitters.h"

namespace vitrine::tokenizer {

namespace {

class SequencePreTokenizer final : public PreTokenizer {
public:
    explicit SequencePreTokenizer(std::vector<std::unique_ptr<PreTokenizer>> steps)
        : steps_(std::move(steps)) {}

    Status apply(Words& words) const override {
        for (const auto& step : steps_)
            VITRINE_TRY(step->apply(words));
        return {};
    }

    bool leave_bytes() override { return !steps_.empty() && steps_.back()->leave_bytes(); }

private:
    std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

Result<std::unique_ptr<PreTokenizer>> make_sequence(const Component& component) {
    VITRINE_ASSIGN(const LargeJson* list, component.list("pretokenizers"));
    std::vector<std::unique_ptr<PreTokenizer>> steps;
    for (const auto& json : *list) {
        VITRINE_ASSIGN(const Component inner, component.inside(json));
        VITRINE_ASSIGN(auto step, make_pre_tokenizer(inner));
        steps.push_back(std::move(step));
    }
    return std::make_unique<SequencePreTokenizer>(std::move(steps));
}

} // namespace

Result<std::unique_ptr<PreTokenizer>> make_pre_tokenizer(const Component& component) {
    const std::string type = component.type();
    if (type == "Sequence") return make_sequence(component);
    if (type == "ByteLevel") return make_byte_level_pre_tokenizer(component);
    if (type == "Metaspace") return make_metaspace(component);
    if (auto splitter = make_splitter(component)) return std::move(*splitter);
    return component.unknown_type("pre-tokenizer");
}

} // namespace vitrine::tokenizer
