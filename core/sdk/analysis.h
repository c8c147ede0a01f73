#pragma once
// The C++ side of abi.h: derive from Analysis, give the class a static `Manifest manifest()`, and list it in
// VITRINE_PLUGIN (a plugin) or core/analysis/builtin.cpp.
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/sdk/abi.h"
#include "core/sdk/input.h"
#include "core/sdk/output.h"

namespace vitrine::sdk {

class Analysis {
public:
    Analysis() = default;
    virtual ~Analysis() = default;
    Analysis(const Analysis&) = delete;
    Analysis& operator=(const Analysis&) = delete;

    /// First step. `start` lives as long as the analysis.
    virtual Reply start(const Start& start) = 0;
    /// Every further step: what the last need asked for.
    virtual Reply step(const Answer& answer) = 0;

protected:
    /// For steps that take long: says how far it is. False once the user has cancelled: return at once.
    bool report(double share, const std::string& doing) const {
        const std::string text = Json({{"progress", share}, {"doing", doing}}).dump();
        const vitrine_message message{text.c_str(), nullptr, 0};
        return sink_->send(sink_->context, &message) == 0;
    }

private:
    template <typename A>
    friend struct Adapter;
    const vitrine_sink* sink_ = nullptr; // during a step
};

namespace detail {

inline Json to_json(const std::vector<Row>& rows) {
    Json list = Json::array();
    for (const Row& row : rows)
        list.push_back({{"ids", row.ids}, {"special", row.special}});
    return list;
}

inline Json names_of(const NamedArrays& arrays) {
    Json names = Json::array();
    for (const auto& [name, array] : arrays)
        names.push_back(name);
    return names;
}

inline Json to_json(const Need& need) {
    Json runs = Json::array();
    for (const Run& run : need.runs)
        runs.push_back({{"rows", to_json(run.rows)},
                        {"captures", run.captures},
                        {"edits", run.edits},
                        {"arrays", names_of(run.arrays)},
                        {"attention", run.attention},
                        {"positions", run.positions},
                        {"top", run.top},
                        {"loss", run.loss},
                        {"logits", run.logits},
                        {"watch", run.watch}});
    Json generations = Json::array();
    for (const Generation& g : need.generations)
        generations.push_back({{"rows", to_json(g.rows)},
                               {"captures", g.captures},
                               {"edits", g.edits},
                               {"arrays", names_of(g.arrays)},
                               {"attention", g.attention},
                               {"max_new", g.max_new},
                               {"temperature", g.temperature},
                               {"top_k", g.top_k},
                               {"top_p", g.top_p},
                               {"seed", g.seed},
                               {"stop", g.stop},
                               {"forced", g.forced},
                               {"top", g.top}});
    Json json = {{"need",
                  {{"runs", runs},
                   {"generations", generations},
                   {"weights", need.weights},
                   {"transient", need.transient}}},
                 {"progress", need.progress}};
    if (!need.checkpoint.empty()) json["need"]["checkpoint"] = need.checkpoint;
    return json;
}

inline Json to_json(const ResultData& result, const std::string& array) {
    Json axes = Json::array();
    for (const Axis& axis : result.axes) {
        Json entry = {{"name", axis.name}, {"size", axis.size}, {"labels", axis.labels}};
        if (axis.ragged) entry["ragged"] = true;
        axes.push_back(std::move(entry));
    }
    Json json = {{"name", result.name}, {"kind", result.kind}, {"axes", std::move(axes)}};
    if (result.whole) json["whole"] = true;
    if (!result.lengths.empty()) json["lengths"] = result.lengths;
    if (result.data.empty() && result.axes.empty())
        json["value"] = result.value;
    else
        json["array"] = array;
    return json;
}

inline void send(const vitrine_sink& sink, const Json& json, const std::vector<vitrine_array>& arrays = {}) {
    const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    const vitrine_message message{text.c_str(), arrays.data(), arrays.size()};
    sink.send(sink.context, &message);
}

inline void send(const vitrine_sink& sink, const Done& done) {
    Json results = Json::array();
    std::vector<std::string> names;
    std::vector<std::vector<std::int64_t>> shapes;
    std::vector<vitrine_array> arrays;
    for (std::size_t i = 0; i < done.results.size(); ++i) {
        names.push_back("result" + std::to_string(i));
        shapes.emplace_back();
        for (const Axis& axis : done.results[i].axes)
            shapes.back().push_back(axis.size);
        results.push_back(to_json(done.results[i], names.back()));
    }
    for (std::size_t i = 0; i < done.results.size(); ++i)
        if (results[i].contains("array"))
            arrays.push_back({names[i].c_str(), VITRINE_F64, static_cast<std::uint32_t>(shapes[i].size()),
                              shapes[i].data(), done.results[i].data.data()});
    send(sink, Json{{"done", {{"results", std::move(results)}}}}, arrays);
}

inline void send(const vitrine_sink& sink, const Need& need) {
    std::deque<std::string> names;
    std::vector<vitrine_array> arrays;
    const auto add = [&](const std::string& place, const NamedArrays& given) {
        for (const auto& [name, array] : given) {
            names.push_back(place + name);
            arrays.push_back({names.back().c_str(), VITRINE_F32,
                              static_cast<std::uint32_t>(array->shape.size()), array->shape.data(),
                              array->data.data()});
        }
    };
    for (std::size_t i = 0; i < need.runs.size(); ++i)
        add("run" + std::to_string(i) + "/", need.runs[i].arrays);
    for (std::size_t i = 0; i < need.generations.size(); ++i)
        add("generation" + std::to_string(i) + "/", need.generations[i].arrays);
    send(sink, to_json(need), arrays);
}

inline void send(const vitrine_sink& sink, const Reply& reply) {
    if (const auto* need = std::get_if<Need>(&reply)) send(sink, *need);
    if (const auto* done = std::get_if<Done>(&reply)) send(sink, *done);
    if (const auto* failure = std::get_if<Failure>(&reply))
        send(sink, Json{{"error", {{"code", failure->code}, {"message", failure->message}}}});
}

} // namespace detail

/// The functions of the C table for one analysis class. No exception leaves them.
template <typename A>
struct Adapter {
    A analysis;
    Start start;

    static void* create() {
        try {
            return new Adapter;
        } catch (const std::exception&) {
            return nullptr;
        }
    }
    static void destroy(void* state) { delete static_cast<Adapter*>(state); }

    static int step(void* state, const vitrine_message* in, const vitrine_sink* out) {
        try {
            detail::send(*out, static_cast<Adapter*>(state)->reply(*in, *out));
            return 0;
        } catch (const std::bad_alloc&) {
            return fail(*out, "out-of-memory", "There is not enough memory for this analysis.");
        } catch (const std::exception& error) {
            return fail(*out, "internal", error.what());
        }
    }

private:
    Reply reply(const vitrine_message& in, const vitrine_sink& out) {
        Json json = Json::parse(in.json);
        Analysis& base = analysis;
        base.sink_ = &out;
        if (json.at("call") != "start") return base.step(Answer(std::move(json), in));
        start = Start::parse(json);
        return base.start(start);
    }
    static int fail(const vitrine_sink& out, const char* code, const char* message) {
        try {
            detail::send(out, Failure{code, message});
            return 0;
        } catch (const std::exception&) {
            return 1;
        }
    }
};

/// The C table of an analysis class.
template <typename A>
vitrine_analysis table_of() {
    static const std::string manifest = A::manifest().json().dump();
    return {VITRINE_ABI_VERSION, manifest.c_str(), &Adapter<A>::create, &Adapter<A>::step,
            &Adapter<A>::destroy};
}

} // namespace vitrine::sdk

/// Exports analysis classes from a shared library: VITRINE_PLUGIN(MyAnalysis, MyOther)
#define VITRINE_PLUGIN(...)                                                                                  \
    namespace {                                                                                              \
    template <typename... A>                                                                                 \
    const vitrine_plugin* vitrine_plugin_of() {                                                              \
        static const vitrine_analysis tables[] = {vitrine::sdk::table_of<A>()...};                           \
        static const vitrine_plugin plugin{VITRINE_ABI_VERSION, sizeof...(A), tables};                       \
        return &plugin;                                                                                      \
    }                                                                                                        \
    }                                                                                                        \
    extern "C" __attribute__((visibility("default"))) const vitrine_plugin* vitrine_plugin_v1(void) {        \
        return vitrine_plugin_of<__VA_ARGS__>();                                                             \
    }
