#include "core/model/gguf_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/base/utf8.h"
#include "core/model/gguf_rope.h"

namespace vitrine::model {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t most_heads = 1 << 20; // or their width: products of them stay in range

/// Tensors that repeat what the metadata say, or that the rotation reads (gguf_rope.cpp).
bool is_of_rotation(std::string_view name) {
    return name.starts_with("rope_") || name.ends_with(".rope_freqs.weight") ||
           name.ends_with(".attn_rot_embd.weight");
}

class Translator {
public:
    Translator(const formats::GgufModel& model, const std::string& path) : source_{model, "", path} {}

    Result<GgufTranslation> translate() {
        VITRINE_TRY(find_architecture());
        GgufTranslation result;
        VITRINE_ASSIGN(result.config, config());
        VITRINE_ASSIGN(result.tensors, tensors());
        result.copies = copies_;
        result.architecture = architecture_;
        return result;
    }

private:
    using Copies = std::vector<std::vector<std::byte>>;

    Status find_architecture() {
        const auto given = source_.model.metadata.text("general.architecture");
        if (!given)
            return fail(
                Code::malformed,
                fmt::format("{} does not say its architecture (general.architecture).", source_.path));
        VITRINE_TRY(check_utf8(*given, fmt::format("{}: general.architecture", source_.path)));
        source_.architecture = *given;
        architecture_ = find_gguf_architecture(source_);
        if (architecture_ != nullptr) return {};
        return fail(
            Code::unsupported,
            fmt::format("{}: the architecture \"{}\" in GGUF form is unknown to this version, which knows "
                        "{}; open the model as safetensors, if it is published so.",
                        source_.path, *given, gguf_architecture_names()));
    }

    Result<std::int64_t> needed(const char* name) const {
        const auto value = source_.integer(name);
        if (!value)
            return fail(Code::malformed,
                        fmt::format("{} has no whole number {}.", source_.path, source_.key(name)));
        return *value;
    }

    Result<Json> config() {
        Json json;
        json["model_type"] = architecture_->model_type;
        VITRINE_ASSIGN(const std::int64_t width, needed("embedding_length"));
        VITRINE_ASSIGN(heads_, needed("attention.head_count"));
        kv_heads_ = source_.integer("attention.head_count_kv").value_or(heads_);
        json["hidden_size"] = width;
        json["num_attention_heads"] = heads_;
        json["num_key_value_heads"] = kv_heads_;
        VITRINE_ASSIGN(json["num_hidden_layers"], needed("block_count"));
        VITRINE_ASSIGN(json["intermediate_size"], needed("feed_forward_length"));
        VITRINE_ASSIGN(json["max_position_embeddings"], needed("context_length"));
        head_ = source_.integer("attention.key_length").value_or(heads_ > 0 ? width / heads_ : 0);
        json["head_dim"] = head_;
        for (const std::int64_t size : {heads_, kv_heads_, head_})
            if (size < 1 || size > most_heads)
                return fail(Code::malformed,
                            fmt::format("{}: {} heads, {} of keys, {} wide, are not what a model can have.",
                                        source_.path, heads_, kv_heads_, head_));
        if (source_.integer("attention.value_length").value_or(head_) != head_)
            return fail(
                Code::unsupported,
                fmt::format("{}: heads of values are as wide as those of keys in every model that Vitrine "
                            "runs; here they are not.",
                            source_.path));
        if (source_.integer("expert_count").value_or(0) > 0)
            return fail(Code::unsupported,
                        fmt::format("{} is a mixture of experts, which Vitrine does not run.", source_.path));
        const auto* table = source_.tensor("token_embd.weight");
        if (table == nullptr || table->view.shape.size() != 2)
            return fail(Code::malformed, fmt::format("{} has no matrix token_embd.weight.", source_.path));
        json["vocab_size"] = table->view.shape.front();
        json["tie_word_embeddings"] = source_.tensor("output.weight") == nullptr;
        VITRINE_TRY(add_settings(json));
        if (architecture_->rotary) VITRINE_TRY(add_gguf_rotation(source_, head_, json));
        for (const auto& [theirs, ours] : {std::pair{"tokenizer.ggml.bos_token_id", "bos_token_id"},
                                           std::pair{"tokenizer.ggml.eos_token_id", "eos_token_id"}})
            if (const auto id = source_.model.metadata.integer(theirs)) json[ours] = *id;
        if (architecture_->complete != nullptr) VITRINE_TRY(architecture_->complete(source_, json));
        return json;
    }

    Status add_settings(Json& json) const {
        for (const auto& [theirs, ours] : architecture_->settings) {
            std::string name = theirs;
            const bool optional = name.ends_with('?');
            if (optional) name.pop_back();
            const auto value = source_.number(name.c_str());
            if (value && std::floor(*value) == *value && std::abs(*value) < 0x1p31)
                json[ours] = static_cast<std::int64_t>(*value);
            else if (value)
                json[ours] = *value;
            else if (!optional)
                return fail(Code::malformed,
                            fmt::format("{} has no {}.", source_.path, source_.key(name.c_str())));
        }
        return {};
    }

    Result<formats::TensorFiles> tensors() {
        copies_ = std::make_shared<Copies>();
        std::vector<formats::StoredTensor> translated;
        for (const formats::StoredTensor& tensor : source_.model.files.tensors()) {
            const auto name = family_name(*architecture_, tensor.name);
            if (!name && is_of_rotation(tensor.name)) continue;
            if (!name)
                return fail(Code::unsupported,
                            fmt::format("{} has the tensor \"{}\", which {} models as Vitrine knows them do "
                                        "not have; what it computes is unknown.",
                                        source_.path, tensor.name, architecture_->name));
            formats::StoredTensor one = tensor;
            one.name = *name;
            if (architecture_->rows == GgufRows::heads && split_by_head(tensor, one, translated)) continue;
            VITRINE_TRY(reorder(tensor, one));
            translated.push_back(std::move(one));
        }
        return formats::TensorFiles("gguf", {}, std::move(translated));
    }

    /// A tensor for each row of a matrix of norms.
    static bool split_by_head(const formats::StoredTensor& tensor, const formats::StoredTensor& named,
                              std::vector<formats::StoredTensor>& translated) {
        if (tensor.view.shape.size() != 2 || tensor.name.find("_norm.") == std::string::npos) return false;
        const std::int64_t width = tensor.view.shape[1];
        if (width % block_elements(tensor.view.dtype) != 0) return false;
        const std::string stem = named.name.substr(0, named.name.rfind('.'));
        for (std::int64_t head = 0; head < tensor.view.shape[0]; ++head) {
            formats::StoredTensor one = named;
            one.name = fmt::format("{}.norms.{}.weight", stem, head);
            one.view.shape = {width};
            one.view.data += stored_bytes(tensor.view.dtype, head * width);
            translated.push_back(std::move(one));
        }
        return true;
    }

    /// Puts the rows of a projection where the family has them.
    Status reorder(const formats::StoredTensor& tensor, formats::StoredTensor& out) {
        const bool of_query = tensor.name.find(".attn_q.") != std::string::npos;
        const bool of_key = tensor.name.find(".attn_k.") != std::string::npos;
        const bool fused = tensor.name.find(".attn_qkv.") != std::string::npos;
        const std::int64_t rows = tensor.view.shape.empty() ? 0 : tensor.view.shape.front();
        switch (architecture_->rows) {
        case GgufRows::pairs:
            if (of_query) return take_pairs_apart(tensor, rows, heads_, out);
            if (of_key) return take_pairs_apart(tensor, rows, kv_heads_, out);
            return {};
        case GgufRows::fused:
            if (fused && kv_heads_ != 1) return put_in_groups(tensor, rows, out);
            return {};
        case GgufRows::turned:
            if (tensor.name.starts_with("blk.") && tensor.view.shape.size() == 2) {
                out.view.shape = {tensor.view.shape[1], tensor.view.shape[0]};
                out.strides = {1, tensor.view.shape[1]};
            }
            return {};
        default:
            return {};
        }
    }

    Status wrong_rows(const formats::StoredTensor& tensor, std::int64_t rows) const {
        return fail(Code::malformed, fmt::format("{}: the {} rows of \"{}\" are not those of {} heads of {}.",
                                                 source_.path, rows, tensor.name, heads_, head_));
    }

    /// Within each head, row 2j + i of the file is row i · (rows / 2) + j of the model.
    Status take_pairs_apart(const formats::StoredTensor& tensor, std::int64_t rows, std::int64_t heads,
                            formats::StoredTensor& out) {
        if (rows == 0 || heads < 1 || rows % (2 * heads) != 0) return wrong_rows(tensor, rows);
        const std::int64_t half = rows / heads / 2;
        copy_rows(tensor, rows, out, [half](std::int64_t row) {
            const std::int64_t in_head = row % (2 * half);
            return row - in_head + 2 * (in_head % half) + in_head / half;
        });
        return {};
    }

    /// [Q | K | V] → for each key head its queries, its key, its value.
    Status put_in_groups(const formats::StoredTensor& tensor, std::int64_t rows, formats::StoredTensor& out) {
        if (kv_heads_ < 1 || head_ < 1 || heads_ < 1 || heads_ % kv_heads_ != 0 ||
            rows != (heads_ + 2 * kv_heads_) * head_)
            return wrong_rows(tensor, rows);
        const std::int64_t queries = heads_ / kv_heads_;
        copy_rows(tensor, rows, out, [this, queries](std::int64_t row) {
            const std::int64_t group = row / head_ / (queries + 2);
            const std::int64_t place = row / head_ % (queries + 2);
            const std::int64_t head = place < queries    ? group * queries + place
                                      : place == queries ? heads_ + group
                                                         : heads_ + kv_heads_ + group;
            return head * head_ + row % head_;
        });
        return {};
    }

    /// Rows, which are whole blocks, in another order: row r of the copy is row from(r) of the file.
    void copy_rows(const formats::StoredTensor& tensor, std::int64_t rows, formats::StoredTensor& out,
                   const std::function<std::int64_t(std::int64_t)>& from) {
        const std::size_t row_bytes = tensor.view.bytes() / static_cast<std::size_t>(rows);
        std::vector<std::byte>& copy = copies_->emplace_back(tensor.view.bytes());
        for (std::int64_t row = 0; row < rows; ++row)
            std::memcpy(copy.data() + static_cast<std::size_t>(row) * row_bytes,
                        tensor.view.data + static_cast<std::size_t>(from(row)) * row_bytes, row_bytes);
        out.view.data = copy.data();
        source_.model.files.drop(tensor.view);
    }

    GgufSource source_;
    const GgufArchitecture* architecture_ = nullptr;
    std::int64_t heads_ = 0;
    std::int64_t kv_heads_ = 0;
    std::int64_t head_ = 0;
    std::shared_ptr<Copies> copies_;
};

} // namespace

Result<GgufTranslation> translate_gguf(const formats::GgufModel& model, const std::string& path) {
    return Translator(model, path).translate();
}

Result<fs::path> gguf_at(const fs::path& path) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
        if (formats::is_gguf(path)) return path;
        return fail(Code::not_found, fmt::format("{} is not a GGUF file.", path.string()));
    }
    if (fs::exists(path / "config.json", ignored))
        return fail(Code::not_found, fmt::format("{} is a folder with config.json.", path.string()));
    return formats::find_gguf(path);
}

} // namespace vitrine::model
