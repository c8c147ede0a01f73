#pragma once
// A plan: typed ops over named values, in the order in which they are executed. Backends execute plans and
// know nothing of models' families, hooks or sessions. Both backends give the same results for each op.
//
// The batch is packed: the tokens of all rows stand one after another, N in all, without padding.
#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/tensor.h"
#include "core/model/model.h"

namespace vitrine::run {

using model::WeightId;
using ValueId = int;
using ConstantId = int;
inline constexpr int absent = -1; ///< "no such value", "no such constant", "no such weight"

/// The packed rows of a plan.
struct Batch {
    std::vector<std::int32_t> tokens; ///< [N]
    std::vector<int> row_start; ///< [rows + 1]; row r holds packed tokens row_start[r] … row_start[r+1]
    std::vector<int> past;      ///< [rows] tokens that the cache already holds for the row

    int rows() const { return static_cast<int>(past.size()); }
    int size() const { return static_cast<int>(tokens.size()); }
    int queries(int row) const {
        return row_start[static_cast<std::size_t>(row) + 1] - row_start[static_cast<std::size_t>(row)];
    }
    /// Keys a row's queries may see: those of the cache and its own.
    int keys(int row) const { return past[static_cast<std::size_t>(row)] + queries(row); }
    int row_of(int packed) const;
    /// Position in the row's whole text, the cached part included.
    int position(int packed) const;
};

enum class Layout {
    tokens, ///< [count, heads, width]: count is N, or the number of tokens of a part, or of selected ones
    pairs,  ///< for each batch row [heads, queries, keys], rows one after another; count and width unused
};

/// A float32 array that an op writes. Once written, only Edit changes it.
struct Value {
    Layout layout = Layout::tokens;
    std::int64_t count = 0;
    int heads = 1; ///< 1 if the value has no axis of heads
    int width = 0;
    bool keep = false; ///< must live to the end of the plan (for a backward pass)
    int part = absent; ///< of Plan::parts, whose tokens or rows it holds; absent: those of the whole batch

    std::int64_t elements(const Batch& batch) const;
};

// ---- ops. `out` and other outputs are written, all other values are read. ----

/// out = constant (shape of the value). Tests and imported activations come in this way.
struct Constant {
    ConstantId source;
    ValueId out;
};

/// out[n] = table[tokens[n]] · scale, table [vocab, d_model].
struct Embed {
    WeightId table;
    float scale;
    ValueId out;
};

/// out[n] = table[position(n) + offset].
struct PositionEmbed {
    WeightId table;
    int offset;
    ValueId out;
};

/// out = a + b, same shape.
struct Add {
    ValueId a, b, out;
};

/// out[n, h] = in[n, 0] for every h (a copy for heads = 1).
struct Repeat {
    ValueId in, out;
};

/// Whole normalisation over the last axis. scale [.., 1] and normalized [.., width] are written if present;
/// out = normalized · weight + bias (weight, bias may be absent). Same bits as the three split ops.
/// Weight and bias are [width], the same for all heads, or [heads · width].
struct Norm {
    model::NormSpec spec;
    WeightId weight, bias;
    ValueId in, out;
    ValueId scale = absent;
    ValueId normalized = absent;
    bool flat = false; ///< over the flattened axes (heads · width); scale and normalized are absent then
};

/// out[.., 1] = √(variance + eps) (layer: of the centred input) or √(mean of squares + eps) (rms).
struct NormScale {
    model::NormSpec spec;
    ValueId in, out;
};

/// out = (in − mean) / scale for layer, in / scale for rms.
struct NormApply {
    model::NormSpec spec;
    ValueId in, scale, out;
};

/// out = in · weight + bias, by channel; either may be absent.
struct NormAffine {
    WeightId weight, bias;
    ValueId in, out;
};

/// out = in · W + bias, over the flattened axes (heads·width) of in and out; W [in, out].
struct Linear {
    WeightId weight, bias;
    ValueId in, out;
};

/// One input a head: out[n, h, :] = in[n, h, :] · W[:, h·width …] + bias[h·width …].
struct HeadLinear {
    WeightId weight, bias;
    ValueId in, out;
};

/// out[n, h, :] = z[n, h, :] · W_O[h·d_head …, :]: each head's own write to the residual stream, without b_O.
struct HeadResult {
    WeightId weight;
    ValueId in, out;
};

/// out[n] = sum over heads of in[n, h] + bias.
struct SumHeads {
    WeightId bias;
    ValueId in, out;
};

/// Rotates the first `dims` channels of each head by the token's position; the rest is copied.
/// cos and sin are [positions, dims/2]; (a, b) → (a·cos − b·sin, b·cos + a·sin).
struct Rotate {
    ConstantId cos, sin;
    int dims;
    bool interleaved;
    ValueId in, out;
    std::vector<int> first = {}; ///< per batch row: the line of cos and sin that is position 0; empty: 0
    int last = absent;           ///< later positions rotate as this one; absent: none does
};

/// Line of a rotation's tables for a packed token.
int table_line(const Rotate& op, const Batch& batch, int packed);

/// Writes this plan's keys and values (after rotation) behind what the cache holds for each row.
struct CacheAppend {
    int layer;
    ValueId k, v;
};

/// How scores are made. Query head h reads key head h / (heads / kv_heads).
struct AttentionSpec {
    int heads = 0;
    int kv_heads = 0;
    int d_head = 0;
    float scale = 1.0F; ///< on q·k
    int window = 0;     ///< key visible iff q − window < k ≤ q; 0: k ≤ q
    int layer = absent; ///< ≥ 0: keys and values are read from the cache of that layer (after CacheAppend)
    float cap = 0.0F;   ///< scaled scores become cap · tanh(score / cap); 0: they stay
    ConstantId key_bias = absent; ///< [heads, at least as many keys as any row has], added after the cap

    // Streaming: only the first `sinks` keys and the last `stream_window` are visible; 0: all that are.
    int stream_window = 0;
    int sinks = 0;
    /// Bit h: query head h streams. Heads beyond the last word do not.
    std::array<std::uint32_t, 4> streaming{};

    bool streams(int head) const {
        const auto bit = static_cast<unsigned>(head);
        return stream_window > 0 && bit < 128 && (streaming[bit / 32] >> (bit % 32) & 1U) != 0;
    }
    /// Whether a query before the window would look at this key in a streaming head.
    bool is_sink(std::int64_t query, std::int64_t key) const {
        return key < sinks && key + stream_window <= query;
    }
};

/// z = softmax(scores) · v in one go; scores and pattern are written if present, with the same bits as the
/// split ops.
struct Attention {
    AttentionSpec spec;
    ValueId q, k, v, out;
    ValueId scores = absent;
    ValueId pattern = absent;
    /// The query as sinks outside the window meet it (AttentionSpec::is_sink, streaming heads); absent: q.
    ValueId q_sinks = absent;
};

/// scores[h, i, j] = scale · q_i·k_j, capped, with key_bias[h, j] added, −inf where the mask hides j.
struct AttentionScores {
    AttentionSpec spec;
    ValueId q, k, out;
    ValueId q_sinks = absent; ///< as Attention::q_sinks
};

/// Softmax over keys; a row whose scores are all −inf becomes zeros.
struct AttentionPattern {
    ValueId in, out;
};

/// out = 1 / (1 + n e^(−in)), n: scores of the row that are not −inf; those become 0.
struct SigmoidPattern {
    ValueId in, out;
};

/// out[n, h, :] = Σ_j pattern[h, i, j] · v_j.
struct AttentionMix {
    AttentionSpec spec;
    ValueId pattern, v, out;
};

/// out = act(in), times `factor` where present (gated MLPs).
struct Activate {
    model::Activation kind;
    ValueId in, factor, out;
};

enum class PointwiseKind {
    scale, ///< in · x
    clamp, ///< in, held within −x … x
    cap,   ///< x · tanh(in / x)
};

/// out = f(in), element by element.
struct Pointwise {
    PointwiseKind kind;
    float x;
    ValueId in, out;
};

/// out[i] = in[rows[i]]: packed rows of a value, for logits where they are asked for.
struct Select {
    std::vector<int> rows;
    ValueId in, out;
};

enum class EditKind {
    set,         ///< x = scalar, or the tensor's element
    scale,       ///< x = x · scalar
    add,         ///< x = x + scalar · (tensor's element, or 1)
    project_out, ///< x = x − (x·u) u over the box's channels, u = tensor / ‖tensor‖
    cap,         ///< x = x − max(x·u − scalar, 0) u
    mask,        ///< x = −inf
    /// On patterns: column j of a head is a sink if the mean over the plan's queries that see it is above
    /// `threshold`; of all sinks but the first, x = scalar · x in the box, and what that frees goes to the
    /// row's other keys in proportion to their weights. The box spans all keys. [ACT, Yu et al. 2024]
    calibrate,
    take, ///< x = the element of Edit::source at the same place
};

/// One box of an edited value, half-open ranges. Positions count from the row's first token in this plan
/// (queries of pairs); channels are keys for pairs.
struct EditEntry {
    EditKind kind = EditKind::set;
    int row = 0;
    int pos_begin = 0, pos_end = 0;
    int head_begin = 0, head_end = 1;
    int channel_begin = 0, channel_end = 0;
    float scalar = 0.0F;
    float threshold = 0.0F; ///< of calibrate
    /// Element of (p, h, c): constant[offset + (p − pos_begin)·pos_stride + (h − head_begin)·head_stride
    /// + (c − channel_begin)·channel_stride]; a stride of 0 repeats. project_out and cap use the first (p,
    /// h).
    ConstantId tensor = absent;
    std::int64_t offset = 0, pos_stride = 0, head_stride = 0, channel_stride = 1;
};

/// All edits at one hook, applied in order, in place.
struct Edit {
    ValueId value;
    std::vector<EditEntry> entries;
    ValueId source = absent; ///< of the shape of value; what `take` copies
};

/// Copies a value to Outputs::captures[slot].
struct Capture {
    ValueId value;
    int slot;
};

/// Next-token statistics of packed rows `rows`, in tiles, without storing the logits. Reads `logits`
/// ([rows.size(), vocab]) if present, else computes hidden[rows] · W_U + b_U, scaled and capped with the bits
/// of Pointwise. One a plan at most.
struct LogitStats {
    WeightId weight, bias; ///< W_U [d_model, vocab], b_U
    ValueId hidden;        ///< [N, d_model], after the final norm; absent if logits is present
    ValueId logits;
    std::vector<int> rows;
    std::vector<std::int32_t> targets;    ///< for each of rows the token whose −log p is wanted, or −1
    int top = 0;                          ///< the largest logits to return with each row
    std::vector<std::int32_t> watch = {}; ///< tokens whose logits to return with each row
    float scale = 1.0F;                   ///< on the logits computed here
    float cap = 0.0F;                     ///< then cap · tanh(logit / cap); 0: none
};

using Op = std::variant<Constant, Embed, PositionEmbed, Add, Repeat, Norm, NormScale, NormApply, NormAffine,
                        Linear, HeadLinear, HeadResult, SumHeads, Rotate, CacheAppend, Attention,
                        AttentionScores, AttentionPattern, SigmoidPattern, AttentionMix, Activate, Pointwise,
                        Select, Edit, Capture, LogitStats>;

/// What an op reads and writes; Edit both reads, before its source, and writes its value.
struct Access {
    std::vector<ValueId> reads;
    std::vector<ValueId> writes;
};
Access access_of(const Op& op);

/// Where an op names the values that it reads and writes, `absent` ones left out; Edit's value stands among
/// what it writes.
struct Places {
    std::vector<ValueId*> reads;
    std::vector<ValueId*> writes;
};
Places places_of(Op& op);

/// "linear", "attention", … for logs and profiles.
const char* op_name(const Op& op);

struct Plan {
    Batch batch;
    /// Tokens of the batch that some values are limited to, since others would hold the same numbers or are
    /// not wanted (share.h). A part's rows are stretches of the batch's rows; `past` is where one begins.
    /// Queries of a part meet keys and values of another whose rows are these rows from their first token on.
    std::vector<Batch> parts;
    std::vector<Value> values;
    std::vector<SharedTensor> constants;
    std::vector<Op> ops;
    int capture_slots = 0;

    const Batch& batch_of(const Value& value) const {
        return value.part == absent ? batch : parts[static_cast<std::size_t>(value.part)];
    }
    const Batch& batch_of(ValueId id) const { return batch_of(values[static_cast<std::size_t>(id)]); }
    std::int64_t elements(ValueId id) const {
        return values[static_cast<std::size_t>(id)].elements(batch_of(id));
    }
    /// At most one token a row, behind what the row's cache holds.
    bool decoding = false;
};

/// Where each value lies in one arena, so that values whose lives do not overlap share memory.
struct ArenaLayout {
    std::vector<std::int64_t> offset; ///< [values], in elements; absent (−1) for a value that no op writes
    std::int64_t elements = 0;        ///< size of the arena
};

/// Whether what an activation function gives may lie where its input lay, if nothing reads that any more.
enum class Activations { apart, in_place };

/// Places values by first and last use; an op's outputs never overlap its inputs, but for activations in
/// place. `align` in elements.
ArenaLayout lay_out(const Plan& plan, std::int64_t align, Activations activations = Activations::apart);
/// The same for a device that pads its values: `elements` is what each value takes there.
ArenaLayout lay_out(const Plan& plan, std::int64_t align, const std::vector<std::int64_t>& elements,
                    Activations activations = Activations::apart);

} // namespace vitrine::run
