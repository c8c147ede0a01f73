// The batch rows of one attention dispatch; offsets and strides in vec4s.
struct Row {
    uint start;   // packed token of the first query
    uint queries;
    uint keys;
    uint past;    // keys before the first query
    uint score_base; // scores [heads, queries, pitch]
    uint pattern_base; // pattern, likewise
    uint pair_head;
    uint pitch;
    uint k_base; // keys in panels, d_head deep
    uint k_head;
    uint v_base; // values in panels, keys deep
    uint v_head;
    uint v_panel;
};
