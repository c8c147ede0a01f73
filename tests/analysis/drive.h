#pragma once
// Drives an analysis through the C interface with made-up values in place of runs.
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <QtTest>
#include <nlohmann/json.hpp>

#include "core/analysis/builtin.h"

namespace drive {

using Json = nlohmann::ordered_json;

struct Array {
    std::vector<std::int64_t> shape;
    std::vector<float> data;
};

/// Value of a hook (or "logits") in a row {"ids",…}; of a generation, `row` also has "step".
using Capture = std::function<Array(const std::string& hook, const Json& row)>;

struct World {
    Json model;
    Capture capture;
    std::map<std::string, Array> weights;
    std::function<Json(const Json& generation, const Json& row)> generated; ///< {"new_ids","stop","steps"}
    /// {"name","step"} of each; captures made on one have its name in `row` as "checkpoint".
    Json checkpoints = nullptr;
    double loss = NAN; ///< of every row
};

/// Facts of a small model; `changes` win.
inline Json model(int layers, int heads, const Json& changes = Json::object()) {
    Json facts = {{"family", "test"},  {"layers", layers},
                  {"d_model", 4},      {"heads", heads},
                  {"kv_heads", heads}, {"d_head", 2},
                  {"d_ff", 8},         {"vocab", 200},
                  {"context", 1024},   {"norm", "rms"},
                  {"norm_eps", 0.0},   {"activation", "silu"},
                  {"gated", true},     {"positional", "rotary"},
                  {"tied", false},     {"window", Json::array()},
                  {"bos", 0},          {"special_ids", {0}}};
    facts.update(changes);
    return facts;
}

inline Json row(const std::vector<int>& ids) {
    std::vector<std::string> tokens;
    std::vector<bool> special;
    for (const int id : ids) {
        tokens.push_back("t" + std::to_string(id));
        special.push_back(id == 0);
    }
    return {{"ids", ids}, {"tokens", tokens}, {"special", special}};
}

/// Rows of ids first, first + 1, …: with first 0 a BOS comes first, with 1 none is special.
inline Json rows_of(const std::vector<int>& lengths, int first = 0) {
    Json rows = Json::array();
    for (const int length : lengths) {
        std::vector<int> ids;
        for (int i = 0; i < length; ++i)
            ids.push_back(first + i);
        rows.push_back(row(ids));
    }
    return rows;
}
inline Json plain_rows(const std::vector<int>& lengths) { return rows_of(lengths, 1); }

inline int length_of(const Json& row) { return static_cast<int>(row.at("ids").size()); }

inline void compare(double value, double expected, double within = 1e-6) {
    QVERIFY2(std::abs(value - expected) <= within,
             qPrintable(QString("%1 is not %2").arg(value, 0, 'g', 12).arg(expected, 0, 'g', 12)));
}

/// 1 + 1/2 + … + 1/n
inline double harmonic(int n) {
    double sum = 0;
    for (int i = 1; i <= n; ++i)
        sum += 1.0 / i;
    return sum;
}

struct Outcome {
    Json results; ///< list, each with "numbers" in place of its array
    Json error;
    std::vector<Json> needs;

    const Json& find(const std::string& name) const {
        for (const Json& result : results)
            if (result.at("name") == name) return result;
        throw std::runtime_error("no result " + name + " " + error.dump());
    }
    std::vector<double> numbers(const std::string& name) const {
        std::vector<double> values;
        for (const Json& value : find(name).at("numbers"))
            values.push_back(value.is_null() ? NAN : value.get<double>());
        return values;
    }
};

class Driver {
public:
    Driver(const std::string& id, World world) : world_(std::move(world)) {
        const vitrine_plugin& plugin = vitrine::analysis::builtin();
        for (std::size_t i = 0; i < plugin.analysis_count; ++i)
            if (Json::parse(plugin.analyses[i].manifest).at("id") == id) table_ = &plugin.analyses[i];
        if (table_ == nullptr) throw std::runtime_error("no analysis " + id);
    }

    /// Parameters that are not given take the manifest's defaults.
    Outcome run(const Json& given, const Json& rows) {
        Json parameters = Json::object();
        const Json manifest = Json::parse(table_->manifest);
        for (const Json& entry : manifest.at("parameters"))
            parameters[entry.at("name").get<std::string>()] = entry.at("default");
        if (given.is_object()) parameters.update(given);
        void* state = table_->create();
        Json message = {
            {"call", "start"}, {"parameters", parameters}, {"model", world_.model}, {"rows", rows}};
        if (!world_.checkpoints.is_null()) message["checkpoints"] = world_.checkpoints;
        while (step(state, message)) {
            const Json need = outcome_.needs.back();
            message = {{"call", "answer"}, {"runs", Json::array()}, {"generations", Json::array()}};
            arrays_.clear();
            serve(need, message);
        }
        table_->destroy(state);
        return outcome_;
    }

private:
    struct Named {
        std::string name;
        Array array;
    };

    void serve(const Json& need, Json& message) {
        if (need.contains("checkpoint"))
            message["checkpoint"] = {{"name", need["checkpoint"]},
                                     {"weights_hash", "of " + need["checkpoint"].get<std::string>()}};
        int index = 0;
        for (const Json& run : need.at("runs")) {
            Json rows = Json::array();
            int r = 0;
            for (Json row : run.at("rows")) {
                if (need.contains("checkpoint")) row["checkpoint"] = need["checkpoint"];
                const std::string place = "run" + std::to_string(index) + "/row" + std::to_string(r++) + "/";
                for (const Json& hook : run.at("captures"))
                    add(place + hook.get<std::string>(), world_.capture(hook.get<std::string>(), row));
                if (run.at("logits")) {
                    Json asked = row;
                    asked["positions"] = run.at("positions");
                    add(place + "logits", world_.capture("logits", asked));
                }
                rows.push_back({{"loss", run.at("loss") ? Json(world_.loss) : Json(nullptr)},
                                {"positions", Json::array()}});
            }
            message["runs"].push_back({{"rows", rows}});
            ++index;
        }
        index = 0;
        for (const Json& generation : need.at("generations")) {
            Json rows = Json::array();
            int r = 0;
            for (const Json& row : generation.at("rows")) {
                Json made = world_.generated(generation, row);
                for (std::size_t s = 0; s < made.at("steps").size(); ++s)
                    for (const Json& hook : generation.at("captures")) {
                        Json asked = row;
                        asked["step"] = s;
                        add("generation" + std::to_string(index) + "/row" + std::to_string(r) + "/step" +
                                std::to_string(s) + "/" + hook.get<std::string>(),
                            world_.capture(hook.get<std::string>(), asked));
                    }
                rows.push_back(std::move(made));
                ++r;
            }
            message["generations"].push_back({{"rows", rows}});
            ++index;
        }
        for (const Json& name : need.at("weights"))
            if (const auto found = world_.weights.find(name); found != world_.weights.end())
                add("weights/" + found->first, found->second);
    }

    void add(const std::string& name, const Array& array) {
        // Weights stay until the analysis is destroyed.
        auto& kept = name.starts_with("weights/") ? kept_ : arrays_;
        kept.push_back({name, array});
    }

    // True while it needs something.
    bool step(void* state, const Json& message) {
        std::vector<vitrine_array> arrays;
        for (const auto* list : {&arrays_, &kept_})
            for (const Named& named : *list)
                arrays.push_back({named.name.c_str(), VITRINE_F32,
                                  static_cast<std::uint32_t>(named.array.shape.size()),
                                  named.array.shape.data(), named.array.data.data()});
        const std::string text = message.dump();
        const vitrine_message in{text.c_str(), arrays.data(), arrays.size()};
        const vitrine_sink sink{this, [](void* self, const vitrine_message* sent) {
                                    static_cast<Driver*>(self)->receive(*sent);
                                    return 0;
                                }};
        const std::size_t needs = outcome_.needs.size();
        if (table_->step(state, &in, &sink) != 0) throw std::runtime_error("broken step");
        return outcome_.needs.size() > needs;
    }

    void receive(const vitrine_message& sent) {
        Json json = Json::parse(sent.json);
        if (json.contains("need")) outcome_.needs.push_back(json["need"]);
        if (json.contains("error")) outcome_.error = json["error"];
        if (!json.contains("done")) return;
        outcome_.results = json["done"]["results"];
        for (Json& result : outcome_.results)
            for (std::size_t i = 0; i < sent.array_count; ++i)
                if (result.value("array", "") == sent.arrays[i].name) {
                    std::size_t count = 1;
                    for (std::uint32_t axis = 0; axis < sent.arrays[i].rank; ++axis)
                        count *= static_cast<std::size_t>(sent.arrays[i].shape[axis]);
                    const auto* data = static_cast<const double*>(sent.arrays[i].data);
                    result["numbers"] = std::vector<double>(data, data + count);
                }
    }

    World world_;
    const vitrine_analysis* table_ = nullptr;
    Outcome outcome_;
    std::deque<Named> arrays_, kept_;
};

inline Outcome run(const std::string& id, const World& world, const Json& parameters, const Json& rows) {
    return Driver(id, world).run(parameters, rows);
}

/// A pattern [heads, T, T] from a formula of (head, query, key); zero above the diagonal.
inline Array pattern(int heads, int length, const std::function<double(int, int, int)>& value) {
    Array array{
        {heads, length, length},
        std::vector<float>(static_cast<std::size_t>(heads) * static_cast<std::size_t>(length * length))};
    for (int h = 0; h < heads; ++h)
        for (int q = 0; q < length; ++q)
            for (int k = 0; k <= q; ++k)
                array.data[static_cast<std::size_t>((h * length + q) * length + k)] =
                    static_cast<float>(value(h, q, k));
    return array;
}

} // namespace drive
