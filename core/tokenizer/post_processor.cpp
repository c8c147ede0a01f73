#include "core/tokenizer/post_processor.h"

#include <utility>

#include <fmt/format.h>

#include "core/tokenizer/template_processor.h"
#include "core/tokenizer/trim_offsets.h"

namespace vitrine::tokenizer {

namespace {

class ByteLevelProcessor final : public PostProcessor {
public:
    ByteLevelProcessor(bool trims, bool prefix_space) : trims_(trims), prefix_space_(prefix_space) {}

    void process(std::vector<Item>& items, std::string_view text, bool) const override {
        if (trims_) trim_offsets(items, text, prefix_space_);
    }

private:
    bool trims_;
    bool prefix_space_;
};

class SequenceProcessor final : public PostProcessor {
public:
    explicit SequenceProcessor(std::vector<std::unique_ptr<PostProcessor>> steps)
        : steps_(std::move(steps)) {}

    void process(std::vector<Item>& items, std::string_view text, bool add_special) const override {
        for (const auto& step : steps_)
            step->process(items, text, add_special);
    }

private:
    std::vector<std::unique_ptr<PostProcessor>> steps_;
};

Result<std::unique_ptr<PostProcessor>> make_byte_level(const Component& component) {
    VITRINE_ASSIGN(const bool trims, component.flag("trim_offsets", true));
    VITRINE_ASSIGN(const bool prefix_space, component.flag("add_prefix_space", true));
    return std::make_unique<ByteLevelProcessor>(trims, prefix_space);
}

Result<std::unique_ptr<PostProcessor>> make_sequence(const Component& component) {
    VITRINE_ASSIGN(const LargeJson* list, component.list("processors"));
    std::vector<std::unique_ptr<PostProcessor>> steps;
    for (const auto& json : *list) {
        VITRINE_ASSIGN(const Component inner, component.inside(json));
        VITRINE_ASSIGN(auto step, make_post_processor(inner));
        steps.push_back(std::move(step));
    }
    return std::make_unique<SequenceProcessor>(std::move(steps));
}

} // namespace

Result<std::unique_ptr<PostProcessor>> make_post_processor(const Component& component) {
    const std::string type = component.type();
    if (type == "Sequence") return make_sequence(component);
    if (type == "ByteLevel") return make_byte_level(component);
    if (type == "TemplateProcessing") return make_template_processor(component);
    if (type == "BertProcessing" || type == "RobertaProcessing") return make_pair_processor(component);
    return component.unknown_type("post-processor");
}

} // namespace vitrine::tokenizer
