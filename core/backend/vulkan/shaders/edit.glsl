// One box of an edited value; offsets and strides in elements.
struct Entry {
    uint kind; // as run::EditKind
    uint base; // of the box's first element in the value
    uint positions;
    uint heads;
    uint channels;
    uint pos_step;
    uint head_step;
    uint has_tensor;
    uint tensor; // the element of (p, h, c) is tensors[tensor + p·tensor_pos + h·tensor_head + c·tensor_channel]
    uint tensor_pos;
    uint tensor_head;
    uint tensor_channel;
    float scalar;
};
