#pragma once
// A run as data: what goes in, what is captured, what is changed inside.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/backend/backend.h"
#include "core/base/json.h"
#include "core/base/tensor.h"
#include "core/model/coordinates.h"
#include "core/model/spec.h"
#include "core/run/selector.h"

namespace vitrine::run {

/// What analyses are told of a row; a run itself does not read it.
struct RowMarks {
    std::vector<std::int32_t> answer, distractor; ///< probabilities add, logits average; empty: not given
    std::optional<int> position;                  ///< where a metric is read; negative from the end
    std::string role;                             ///< "clean" or "corrupted" of a pair; else empty

    bool empty() const { return answer.empty() && distractor.empty() && !position && role.empty(); }
    friend bool operator==(const RowMarks&, const RowMarks&) = default;
};

/// One row of the batch.
struct RunRow {
    std::vector<std::int32_t> ids;
    std::vector<bool> special; ///< per id; empty: none is special
    RowMarks marks = {};
};

enum class EditOp {
    zero,
    scale,
    add,
    set,
    add_vector,
    set_tensor,
    project_out,
    cap,
    mask,
    mean,
    from,
    calibrate,
    // One operation of the model in place of another, at the hook that it writes:
    identity, ///< mlp.hook_post: no activation function (a gated MLP keeps its gate as a plain factor)
    sigmoid,  ///< attn.hook_pattern: σ(score − ln n), n: keys that the query sees [Ramapuram et al. 2024]
    parallel  ///< hook_mlp_in: the MLP reads what the block's attention reads
};

/// One change inside the model, as `--edit` writes it (CLI.md). The tensors that it needs are in it, so that
/// a spec can be run without any file.
struct EditSpec {
    std::string hook; ///< glob over hook names, either vocabulary; "L3H5" is that head's hook_z
    Selector row, pos, head, channel, key;
    EditOp op = EditOp::zero;
    double value = 0;             ///< X of scale, add, set, add_vector, cap; beta of calibrate
    double threshold = 0;         ///< of calibrate: mean attention above which a key is a sink
    std::string source;           ///< file or prompts after '@', as written; for messages and the journal
    std::vector<RunRow> prompts;  ///< reference rows of `mean`; empty: the run's own rows
    bool exclude_special = false; ///< of `mean`
    bool by_position = false;     ///< of `mean`: of each position by itself, over the rows that have it
    int from_row = absent;        ///< `from row=R`: the unedited row of this run
    /// By hook name: [width] or [heads, width] vectors, or whole captures for `set @`, `from @`.
    std::map<std::string, SharedTensor> tensors;
    SharedTensor tensor; ///< the one tensor of `@F.npy`, for every matched hook
};

enum class PositionChoice { last, all, list };

/// Which keys a query sees, beside what the model hides by itself: those that a cache of StreamingLLM holds
/// [Xiao et al. 2023]. Layers with a window of their own keep it.
struct AttentionPolicy {
    int window = 0; ///< the last keys, the query's own included; 0: all keys, and nothing else here counts
    int sinks = 0;  ///< first keys that are kept as well
    /// Positions count inside such a cache: what stands between sinks and window takes no room. Rotary models
    /// only.
    bool reindexed = false;
    std::vector<std::vector<int>> heads = {}; ///< by layer: the query heads that it holds for; empty: all

    friend bool operator==(const AttentionPolicy&, const AttentionPolicy&) = default;
};

struct RunSpec {
    std::vector<RunRow> rows;
    std::vector<std::string> captures; ///< globs over hook names, either vocabulary
    std::vector<EditSpec> edits;
    AttentionPolicy attention;
    PositionChoice choice = PositionChoice::last;
    std::vector<int> positions;      ///< for `list`; negative from the end
    int top = 10;                    ///< most likely tokens reported at each of those positions
    bool loss = true;                ///< compute −log p of every token of the rows
    bool logits = false;             ///< return the logits at those positions
    std::vector<std::int32_t> watch; ///< tokens whose logits alone are returned there
    /// Of captures, logits and logsumexp. The model computes the same in either; edits are always raw.
    model::Coordinates coordinates = model::Coordinates::raw;
};

/// What is known after one token.
struct PositionResult {
    int pos = 0;
    backend::LogitRow stats;
};

/// One captured value of one row, in its natural axes without the batch axis.
struct Captured {
    std::string hook;
    std::vector<std::string> axes; ///< "pos", "head", "d_head", "query", "key", …
    Tensor tensor;
};

struct RowResult {
    std::vector<PositionResult> positions;
    std::vector<float> token_nll; ///< per token; NaN for the first; empty without RunSpec::loss
    double loss = 0;              ///< mean of token_nll, nats; NaN without
    std::vector<Captured> captures;
    Tensor logits; ///< [positions, vocab] if asked for

    /// nullptr if that hook was not captured.
    const Captured* find(const std::string& hook) const;
};

struct RunResult {
    std::vector<RowResult> rows;
    double run_ms = 0;  ///< on the device
    double read_ms = 0; ///< reading back and splitting by row
    std::uint64_t scratch_bytes = 0;
};

/// {"answer","distractor","position","role"}, of them what is given.
Json to_json(const RowMarks& marks);
/// Everything that decides the numbers, tensors included, for the journal and its hash.
Json to_json(const RunSpec& spec);
Json to_json(const EditSpec& edit);

/// "window=64 sinks=4 reindexed heads=L0H3,L2H1"; empty: every key is seen. usage: one sentence.
Result<AttentionPolicy> parse_policy(std::string_view text);
std::string to_text(const AttentionPolicy& policy);
/// What a model cannot do of a policy, as one sentence: unsupported; out_of_range for numbers below 0, heads
/// and layers that there are not.
Status check_policy(const model::ModelSpec& model, const AttentionPolicy& policy);

/// Parses `HOOK [row=R] [pos=P] [head=H] [channel=C] [key=K] OP [VALUE]`. What stands after '@' stays in
/// `source` and is read by the caller; paths may be quoted.
Result<EditSpec> parse_edit(std::string_view text);

} // namespace vitrine::run
