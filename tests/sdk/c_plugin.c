/* The smallest analysis there is: the length of its first message, without a run. */
#include <stdlib.h>
#include <string.h>

#include "core/sdk/abi.h"

static void* create(void) { return malloc(1); }

static int step(void* state, const vitrine_message* in, const vitrine_sink* out) {
    const double answer = (double)strlen(in->json);
    vitrine_array array = {"length", VITRINE_F64, 0, NULL, NULL};
    vitrine_message message = {"{\"done\":{\"results\":[{\"name\":\"bytes\",\"kind\":\"number\",\"axes\":[],"
                               "\"array\":\"length\"}]}}",
                               NULL, 1};
    (void)state;
    array.data = &answer;
    message.arrays = &array;
    return out->send(out->context, &message);
}

static const vitrine_analysis analyses[] = {
    {VITRINE_ABI_VERSION,
     "{\"id\":\"c-bytes\",\"title\":\"Bytes\",\"summary\":\"Bytes of the first "
     "message.\",\"citation\":\"own\","
     "\"prompts\":\"required\",\"parameters\":[],\"results\":[{\"name\":\"bytes\",\"kind\":\"number\"}]}",
     create, step, free}};

static const vitrine_plugin plugin = {VITRINE_ABI_VERSION, 1, analyses};

const vitrine_plugin* vitrine_plugin_v1(void) { return &plugin; }
