#ifndef VITRINE_SDK_ABI_H
#define VITRINE_SDK_ABI_H
/*
 * The C interface between the program and an analysis. Plain C and versioned, so that a plugin built with
 * another compiler loads and can live in a process of its own. C++ authors include core/sdk/analysis.h.
 *
 * An analysis is a step function with a manifest. It never calls the program: `step` gets one message and
 * sends one back, either what it needs next or its results. So every run that it asks for can be cancelled,
 * recorded and batched.
 *
 * Messages. A message is a JSON object in UTF-8, ended by a zero byte, and arrays that its text names. Arrays
 * are row-major and contiguous and are passed by pointer, never copied: those of a message to the analysis
 * are valid until `step` returns (weights: until `destroy`, unless "transient"), those of a message from it
 * until `send` returns.
 *
 * First message in:
 *   {"call":"start",
 *    "parameters": {name: value, ...},      every parameter of the manifest, checked, defaults filled in
 *    "model": {"family","layers","d_model","heads","kv_heads","d_head","d_ff","vocab","context",
 *              "norm":"layer|rms","norm_eps","final_norm","activation","gated","positional","tied",
 *              "norm_place":"before|branch_output|sandwich|after_sum","parallel","residual_scale",
 *              "logit_scale","logit_cap":soft-cap of logits, 0: none,
 *              "window":[keys seen by each layer, 0: all],
 *              "matrices":[{"name","rows","cols"}],  that a need may ask for
 *              "reindexable": whether a run's "attention" may be "reindexed",
 *              "attention_scale":[by layer],"qk_norm":"none|head|per_head|whole",
 *              "rotary":[by layer: {"dims","interleaved","scale","inverse_frequency":[...]}, null: none],
 *              "bos": id or null,"special_ids":[...]},
 *    "rows": [{"ids":[...],"tokens":[texts],"special":[booleans],
 *              "answer":[ids],"distractor":[ids],   of a metric: probabilities add, logits average
 *              "position": where it is read, negative from the end,
 *              "role":"clean|corrupted"}],          of a row of a pair, which follow each other; these four
 *                                                   only where they are given; they win over parameters
 *    "checkpoints": [{"name","step"}]}      the model's training, by step; only where the manifest asks for
 * it
 *
 * Answer to a need:
 *   {"call":"answer",
 *    "runs": [{"rows":[{"loss": number or null,
 *                       "positions":[{"pos","entropy","varentropy","logsumexp",
 *                                     "top":[{"id","logit","prob"}],
 *                                     "watched":[logits]}]}]}],   in the order of "watch"
 *    "generations": [{"rows":[{"new_ids":[...],"stop":"length|eos",
 *                              "steps":[{"pos","id","prob","entropy","varentropy","top1","margin",
 *                                        "top":[{"id","prob"}]}]}]}],
 *    "checkpoint": {"name","weights_hash"}}          of a need that names one
 *   with the arrays
 *     "run0/row0/blocks.0.attn.hook_pattern"  a capture, float32, natural axes of the hook without the batch
 *     "run0/row0/token_nll"                   [tokens], nats, NaN for the first; only with "loss":true
 *     "run0/row0/logits"                      [positions, vocab]; only with "logits":true
 *     "generation0/row0/step0/HOOK"           a capture at the query that this token was drawn at
 *     "weights/lens.3.W", "weights/lens.3.b"  of the file that a parameter with "reads" names
 *     "weights/unembed.W_U"                   [rows, columns], float32, matrices as [in, out], vectors as
 *                                             [1, n]; one that the model does not have is left out
 *
 * Messages out, exactly one of the first three in each step:
 *   {"need": {"runs":[{"rows":[{"ids","special"}],   as in "start"
 *                      "captures":[globs over hook names],
 *                      "edits":[edits as the command line writes them],
 *                      "arrays":[names],        that come with the message, float32, as "run0/NAME"
 *                                               ("generation0/NAME"); an edit reads one where the command
 *                                               line names a file: set @NAME, add X*@NAME, project-out @NAME,
 *                                               cap X @NAME, from @NAME (one array for every hook it means)
 *                      "attention":"window=64 sinks=4 reindexed heads=L0H1,L2H3", "": all keys,
 *                      "positions":"last|all" or [indices, negative from the end],
 *                      "top":10, "loss":false, "logits":false,
 *                      "watch":[ids]}],               tokens whose logits alone are wanted at the positions
 *             "generations":[{"rows","captures","edits","arrays","attention","max_new","temperature","top_k",
 *                             "top_p",
 *                             "seed","stop":true,    end at an end-of-sequence token
 *                             "forced":[[step,id]],  taken at these steps in place of what would be drawn
 *                             "top":0}],             most likely tokens told of each step
 *             "weights":["unembed.W_U", "ln_final.w", "blocks.0.attn.W_O", ...],
 *             "transient":false,                     true: the weights are valid for one step only
 *             "checkpoint": name},                   of "start": runs and generations are made on it, and no
 *                                                    weights can be had; left out: on the model itself
 *    "progress": share done so far, in [0, 1]}
 *       Reserved in a need: "corpus", "gradients", "dictionaries".
 *   {"done": {"results":[{"name","kind","axes":[{"name","size","labels":[...]}],
 *                         "array": name of a float64 array | "value": JSON}]}}
 *       Kinds with an array: number, matrix, series, stack, scores, histogram; with a value: table, graph,
 *       features, text. A result that the manifest lists as a series may come as a matrix.
 *       Rows of different length: the array is as large as the longest row, NaN beyond the end of a row, with
 *       "lengths":[entries of each row] and "ragged":true at the axes that end early.
 *       "whole":true where all numbers are ids or counts.
 *       An object in a table with "id" and without "token" gets the token's text, one with "next_id" and
 * without "next" likewise, whatever stands before "_id"; one with "new_ids" and
 * without "text" theirs.
 *   {"error": {"code","message"}}                    one sentence; codes are those of the command line
 *   {"progress": share, "doing": text}               any number, between the others
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VITRINE_ABI_VERSION 1

enum vitrine_dtype {
    VITRINE_F32 = 0,
    VITRINE_F64 = 1,
    VITRINE_F16 = 2,
    VITRINE_BF16 = 3,
    VITRINE_I32 = 4,
    VITRINE_I64 = 5,
    VITRINE_U8 = 6
};

typedef struct vitrine_array {
    const char* name;
    uint32_t dtype; /* enum vitrine_dtype */
    uint32_t rank;
    const int64_t* shape; /* [rank] */
    const void* data;
} vitrine_array;

typedef struct vitrine_message {
    const char* json;
    const vitrine_array* arrays;
    size_t array_count;
} vitrine_message;

/* Where an analysis sends its messages. `send` returns 0, or something else once the user has cancelled:
 * then `step` should return at once. */
typedef struct vitrine_sink {
    void* context;
    int (*send)(void* context, const vitrine_message* message);
} vitrine_sink;

typedef struct vitrine_analysis {
    uint32_t abi_version; /* VITRINE_ABI_VERSION that it was built with */
    /* {"id","title","summary","citation","prompts":"required|optional|none",
     *  "checkpoints":true,   only for models that lie in a folder of checkpoints; else left out
     *  "parameters":[{"name","type","default","min","max","choices","doc"}],
     *  "results":[{"name","kind","doc"}]}
     * Types: number, integer, boolean, choice, text, list (of texts), positions ("all", an integer, or a list
     * of integers), token (an id), tokens (a list of ids), rows (further texts: a list as "rows" of the
     * first message, which the user gives as @FILE). A parameter whose default is null may be null. One of
     * type text with "reads":"tuned-lens" names a folder or file that the program reads. */
    const char* manifest;
    void* (*create)(void); /* state of one analysis; NULL if there is no memory */
    int (*step)(void* state, const vitrine_message* in, const vitrine_sink* out); /* 0, or broken */
    void (*destroy)(void* state);
} vitrine_analysis;

typedef struct vitrine_plugin {
    uint32_t abi_version;
    size_t analysis_count;
    const vitrine_analysis* analyses;
} vitrine_plugin;

/* A plugin is a shared library that exports this function under this name. */
#define VITRINE_PLUGIN_SYMBOL "vitrine_plugin_v1"
typedef const vitrine_plugin* (*vitrine_plugin_function)(void);

#ifdef __cplusplus
}
#endif
#endif
