#include "core/analysis/builtin.h"

#include "core/analysis/ablate.h"
#include "core/analysis/attention.h"
#include "core/analysis/attention_rollout.h"
#include "core/analysis/causal_trace.h"
#include "core/analysis/circuit_faithfulness.h"
#include "core/analysis/composition.h"
#include "core/analysis/direct_logit_attribution.h"
#include "core/analysis/early_exit.h"
#include "core/analysis/emergence.h"
#include "core/analysis/ffn_memories.h"
#include "core/analysis/generation_lanes.h"
#include "core/analysis/head_entropy.h"
#include "core/analysis/head_metrics.h"
#include "core/analysis/head_vocabulary.h"
#include "core/analysis/lens.h"
#include "core/analysis/ov_qk.h"
#include "core/analysis/patch.h"
#include "core/analysis/path_patch.h"
#include "core/analysis/replaced_operations.h"
#include "core/analysis/residual_geometry.h"
#include "core/analysis/selectivity.h"
#include "core/analysis/sink_hidden.h"
#include "core/analysis/sink_key_bias.h"
#include "core/analysis/sink_norms.h"
#include "core/analysis/sink_what_if.h"
#include "core/analysis/sinks.h"
#include "core/analysis/skip_sublayers.h"
#include "core/analysis/span_importance.h"
#include "core/analysis/steering_vector.h"
#include "core/analysis/streaming.h"
#include "core/analysis/streaming_heads.h"
#include "core/analysis/token_importance.h"
#include "core/analysis/weights_spectra.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

namespace {

template <typename... A>
const vitrine_plugin& plugin_of() {
    static const vitrine_analysis tables[] = {sdk::table_of<A>()...};
    static const vitrine_plugin plugin{VITRINE_ABI_VERSION, sizeof...(A), tables};
    return plugin;
}

} // namespace

const vitrine_plugin& builtin() {
    return plugin_of<Attention, AttentionRollout, SinkRate, SinkMap, SinkNorms, SinkKeyBias, SinkHidden,
                     SinkWhatIf, Streaming, StreamingHeads, HeadEntropy, HeadMetrics, Emergence, Lens,
                     LensEntropy, EarlyExit, DirectLogitAttribution, HeadVocabulary, FfnMemories, SubUpdates,
                     ResidualGeometry, Isotropy, TokenImportance, SpanImportance, GenerationLanes,
                     WeightsSpectra, OvQk, Composition, Ablate, Patch, PathPatch, CausalTrace,
                     CircuitFaithfulness, SkipSublayers, Selectivity, ReplacedOperations, SteeringVector>();
}

} // namespace vitrine::analysis
