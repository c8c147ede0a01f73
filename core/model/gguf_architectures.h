#pragma once
// The decoder architectures of GGUF files: what their metadata and tensors are called in the family's
// config.json and files, and in which order their rows lie. Facts of llama.cpp's converter.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/formats/gguf.h"

namespace vitrine::model {

/// A name in GGUF and the family's; {} stands for the layer.
using GgufNames = std::vector<std::pair<const char*, const char*>>;

/// How rows of projections are stored, where it is not as the family has them.
enum class GgufRows {
    plain,
    pairs, ///< queries and keys: the two dimensions that a rotation pairs are neighbours
    fused, ///< attn_qkv: all queries, all keys, all values, where the family has them group by group
    heads, ///< norms of queries and keys are matrices [heads, d_head], where the family has a tensor a head
    turned ///< block matrices are [out, in], where the family has [in, out]
};

/// A file and the architecture it names.
struct GgufSource {
    const formats::GgufModel& model;
    std::string architecture;
    std::string path;

    std::string key(const char* name) const { return architecture + "." + name; }
    std::optional<double> number(const char* name) const { return model.metadata.number(key(name)); }
    std::optional<std::int64_t> integer(const char* name) const { return model.metadata.integer(key(name)); }
    const formats::StoredTensor* tensor(std::string_view name) const { return model.files.find(name); }
};

struct GgufArchitecture {
    const char* name;       ///< general.architecture
    const char* model_type; ///< of config.json
    GgufNames settings;     ///< numbers of the metadata (ARCHITECTURE.name), which must be there unless
                            ///< their name ends with '?'
    GgufNames tensors = {}; ///< names that differ from Llama's; an empty one is not the family's
    GgufRows rows = GgufRows::plain;
    bool rotary = true;
    bool whole_norms = false;        ///< norm weights hold 1 + w already
    const char* marked_by = nullptr; ///< a tensor that only files of this kind have
    /// What the names alone do not say.
    Status (*complete)(const GgufSource& source, Json& config) = nullptr;
};

/// nullptr for an architecture that is not here.
const GgufArchitecture* find_gguf_architecture(const GgufSource& source);

/// All names, with commas between them.
std::string gguf_architecture_names();

/// The family's name of a tensor: "layers.3.self_attn.q_proj.weight" for "blk.3.attn_q.weight"; nothing if
/// the architecture has no such tensor.
std::optional<std::string> family_name(const GgufArchitecture& architecture, std::string_view stored);

/// The opposite, for sentences; what has no name in GGUF stays as it is.
std::string gguf_name(const GgufArchitecture& architecture, const std::string& family);

} // namespace vitrine::model
