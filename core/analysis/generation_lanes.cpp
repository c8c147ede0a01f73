#include "core/analysis/generation_lanes.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

namespace vitrine::analysis {

namespace {

std::string pattern_of(int layer) { return "blocks." + std::to_string(layer) + ".attn.hook_pattern"; }
std::string stream_of(int layer) { return "blocks." + std::to_string(layer) + ".hook_resid_post"; }

// A whole number that is all of the text; nothing else.
std::optional<int> whole(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

double entropy_of(sdk::View weights) {
    double sum = 0;
    for (const float a : weights)
        if (a > 0) sum -= a * std::log(static_cast<double>(a));
    return sum;
}

sdk::Failure out_of_range(std::string sentence) { return {"out-of-range", std::move(sentence)}; }

} // namespace

sdk::Manifest GenerationLanes::manifest() {
    return sdk::Manifest("generation-lanes", "Lanes of a generation")
        .summary(
            "By step of a generation: entropy and varentropy of the distribution that the token was drawn "
            "from, before temperature (nats), its largest probability, the margin to the second, and the "
            "attention on key 0, mean over layers and heads, at the query that the token was drawn at. Also "
            "the first layer whose lens has the token in the lead, and the one from which it stays there; "
            "the mean entropy of the last steps, and where it exceeds a threshold: the signal of "
            "entropy-adaptive decoding to switch to a larger model; and how varied the text so far is "
            "(distinct tokens and distinct n-grams, per token). Greedy by default; with a branch, another "
            "token at some step; with a continuation, the lanes of that text.")
        .citation("Entropy-Guided Attention; entropix; Simonds 2025, Entropy Adaptive Decoding; "
                  "nostalgebraist 2020; distinct-n: Li et al. 2016")
        .integer("max_new", 12, "tokens to generate", 1, 100000)
        .number("temperature", 0, "0 takes the most likely token", 0, 1000)
        .integer("top_k", 0, "draw among the k most likely; 0: all", 0)
        .number("top_p", 1, "draw among the fewest that have this probability together", 0, 1)
        .integer("seed", 0, "of the draws", 0)
        .list("heads", nullptr, "heads whose entropy is a lane: L3H5,L4H1")
        .boolean("depth", true, "find the layer at which the token first leads")
        .integer("window", 8, "steps of the rolling entropy", 1, 100000)
        .number("threshold", 2, "rolling entropy above which to switch, nats", 0)
        .integer("distinct", 2, "n of the distinct n-grams", 1, 100)
        .integer("alternatives", 5, "most likely tokens listed per step", 0, 1000)
        .list("branch", nullptr, "STEP:ID, a token taken at a step (from 0) in place of what is drawn")
        .tokens("continuation", "lanes of these tokens in place of a generation; max_new is their number")
        .result("ids", "series", "[row ×] step")
        .result("entropy", "series", "[row ×] step, nats")
        .result("varentropy", "series", "[row ×] step, nats²")
        .result("top1", "series", "[row ×] step")
        .result("margin", "series", "[row ×] step")
        .result("prob", "series", "[row ×] step; of the token itself")
        .result("sink_mass", "series", "[row ×] step")
        .result("head_entropy", "series", "[row ×] head × step, nats; of the heads asked for")
        .result("first_leads", "series", "[row ×] step; first layer whose lens has the token in the lead")
        .result("leads_from", "series", "[row ×] step; layer from which it stays in the lead")
        .result("rolling_entropy", "series", "[row ×] step; mean of the last steps, nats")
        .result("switch", "series", "[row ×] step; 1 where the rolling entropy exceeds the threshold")
        .result("type_token_ratio", "series", "[row ×] step; distinct tokens per token so far")
        .result("distinct_n", "series", "[row ×] step; distinct n-grams per n-gram so far")
        .result("tokens", "table", "what was generated")
        .result("alternatives", "table", "most likely tokens of each step")
        .result("diversity", "table", "of the whole of each row, with its mean entropy")
        .result("note", "text", "how the text came about, and the settings of the lanes");
}

std::optional<sdk::Failure> GenerationLanes::read_heads() {
    const sdk::Json& given = start_->parameters.at("heads");
    if (given.is_null()) return std::nullopt;
    for (const sdk::Json& entry : given) {
        const auto name = entry.get<std::string>();
        const std::size_t h = name.find_first_of("Hh");
        const bool shaped = h != std::string::npos && (name[0] == 'L' || name[0] == 'l');
        const auto layer = shaped ? whole(std::string_view(name).substr(1, h - 1)) : std::nullopt;
        const auto head = shaped ? whole(std::string_view(name).substr(h + 1)) : std::nullopt;
        if (!layer || !head)
            return sdk::Failure{"usage",
                                "\"" + name + "\" names no head: write L3H5, several between commas."};
        if (*layer < 0 || *layer >= start_->model.layers || *head < 0 || *head >= start_->model.heads)
            return out_of_range("There is no head " + name + ": the model has " +
                                std::to_string(start_->model.layers) + " layers of " +
                                std::to_string(start_->model.heads) + " heads.");
        heads_.push_back({*layer, *head});
    }
    return std::nullopt;
}

std::optional<sdk::Failure> GenerationLanes::read_branch() {
    const sdk::Json& given = start_->parameters.at("branch");
    const auto text = start_->tokens("continuation");
    given_ = start_->given("continuation");
    if (given_ && text.empty())
        return sdk::Failure{"usage", "The continuation has no tokens: name at least one, or leave it out."};
    for (std::size_t s = 0; s < text.size(); ++s)
        forced_.emplace_back(static_cast<int>(s), text[s]);
    if (!given.is_null()) {
        if (given_)
            return sdk::Failure{"usage",
                                "A continuation is given as it is: leave either it or the branch out."};
        for (const sdk::Json& entry : given) {
            const auto pair = entry.get<std::string>();
            const std::size_t colon = pair.find(':');
            const auto step =
                colon == std::string::npos ? std::nullopt : whole(std::string_view(pair).substr(0, colon));
            const auto id =
                colon == std::string::npos ? std::nullopt : whole(std::string_view(pair).substr(colon + 1));
            if (!step || !id)
                return sdk::Failure{"usage", "\"" + pair +
                                                 "\" is no branch: write STEP:ID, a step from 0 and the id "
                                                 "of a token."};
            forced_.emplace_back(*step, *id);
        }
    }
    const int steps = given_ ? static_cast<int>(text.size()) : start_->integer("max_new");
    for (const auto& [step, id] : forced_) {
        if (step < 0 || step >= steps)
            return out_of_range("A branch at step " + std::to_string(step) + " lies outside the " +
                                std::to_string(steps) + " steps: choose an earlier one or a larger max_new.");
        if (id < 0 || id >= start_->model.vocab)
            return out_of_range("There is no token " + std::to_string(id) + ": the vocabulary has " +
                                std::to_string(start_->model.vocab) + " tokens.");
    }
    return std::nullopt;
}

sdk::Reply GenerationLanes::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = read_heads()) return *failure;
    if (auto failure = read_branch()) return *failure;
    if (start.number("top_p") <= 0)
        return out_of_range("top_p must lie above 0: no token has a probability of none.");
    for (std::size_t row = 0; row < start.rows.size(); ++row) {
        if (start.rows[row].size() >= start.model.context)
            return out_of_range("Row " + std::to_string(row) +
                                " fills the context, so nothing can be generated: shorten it.");
        if (given_ && start.rows[row].size() + static_cast<int>(forced_.size()) > start.model.context)
            return out_of_range("Row " + std::to_string(row) + " and the continuation have " +
                                std::to_string(start.rows[row].size() + static_cast<int>(forced_.size())) +
                                " tokens, the context " + std::to_string(start.model.context) +
                                ": shorten one of them.");
    }
    depth_ = start.flag("depth");
    sdk::Generation generation;
    generation.rows = start.rows;
    for (int layer = 0; layer < start.model.layers; ++layer) {
        generation.captures.push_back(pattern_of(layer));
        if (depth_) generation.captures.push_back(stream_of(layer));
    }
    generation.max_new = given_ ? static_cast<int>(forced_.size()) : start.integer("max_new");
    generation.temperature = start.number("temperature");
    generation.top_k = start.integer("top_k");
    generation.top_p = start.number("top_p");
    generation.seed = static_cast<std::uint64_t>(start.integer("seed"));
    generation.stop = !given_;
    generation.forced = forced_;
    generation.top = start.integer("alternatives");
    sdk::Need need;
    need.generations.push_back(std::move(generation));
    if (depth_) need.weights = Unembedding::weights();
    return need;
}

sdk::ResultData GenerationLanes::lane(const std::string& name, std::vector<sdk::Axis> leading) const {
    const auto rows = static_cast<int>(lengths_.size());
    std::vector<sdk::Axis> axes;
    if (rows > 1) axes.push_back({"row", rows});
    axes.insert(axes.end(), leading.begin(), leading.end());
    sdk::Axis axis{"step", longest_};
    axis.ragged = std::count(lengths_.begin(), lengths_.end(), longest_) != rows;
    axes.push_back(axis);
    auto result = sdk::ResultData::array(name, axes.size() > 1 ? "matrix" : "series", axes);
    if (axis.ragged) result.lengths = lengths_;
    return result;
}

std::size_t GenerationLanes::offset(int row, int step) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(longest_) +
           static_cast<std::size_t>(step);
}

void GenerationLanes::add_steps(const sdk::Answer& answer, int row) {
    const sdk::Json& steps = answer.generated(0, row).at("steps");
    const sdk::ModelFacts& model = start_->model;
    for (int s = 0; s < static_cast<int>(steps.size()); ++s) {
        const sdk::Json& step = steps[static_cast<std::size_t>(s)];
        const std::size_t at = offset(row, s);
        for (sdk::ResultData* result : {&prob_, &entropy_, &varentropy_, &top1_, &margin_})
            result->data[at] = step.at(result->name).get<double>();
        ids_.data[at] = step.at("id").get<double>();
        double sink = 0;
        for (int layer = 0; layer < model.layers; ++layer) {
            const sdk::View pattern = answer.generated_capture(0, row, s, pattern_of(layer));
            for (int head = 0; head < model.heads; ++head)
                sink += pattern(head, 0, 0);
            for (std::size_t h = 0; h < heads_.size(); ++h)
                if (heads_[h].layer == layer)
                    heads_entropy_.data[(static_cast<std::size_t>(row) * heads_.size() + h) *
                                            static_cast<std::size_t>(longest_) +
                                        static_cast<std::size_t>(s)] = entropy_of(pattern[heads_[h].head]);
        }
        sink_.data[at] = sink / model.layers / model.heads;
        tokens_.push_back(
            {{"row", row}, {"position", step.at("pos")}, {"id", step.at("id")}, {"prob", step.at("prob")}});
        int rank = 0;
        for (const sdk::Json& other : step.value("top", sdk::Json::array()))
            others_.push_back({{"row", row},
                               {"step", s},
                               {"rank", rank++},
                               {"id", other.at("id")},
                               {"prob", other.at("prob")}});
    }
}

// The token leads in a layer if no other has a larger logit there, ties by smaller id.
void GenerationLanes::add_depth(const sdk::Answer& answer, int row, int step, std::int32_t id) {
    const int layers = start_->model.layers;
    std::vector<float> normed;
    for (int layer = 0; layer < layers; ++layer)
        unembedding_->normalise(answer.generated_capture(0, row, step, stream_of(layer)).data(), normed);
    const std::vector<float> logits = unembedding_->logits(normed, layers);
    const int vocab = unembedding_->vocab();
    const std::size_t at = offset(row, step);
    for (int layer = layers - 1; layer >= 0; --layer) {
        const float* own = logits.data() + std::int64_t{layer} * vocab;
        const bool leads = std::max_element(own, own + vocab) - own == id;
        if (leads) first_.data[at] = layer;
        if (leads && (layer == layers - 1 || stays_.data[at] == layer + 1)) stays_.data[at] = layer;
    }
}

void GenerationLanes::add_rolling(int row, int steps) {
    const int window = start_->integer("window");
    double sum = 0;
    for (int s = 0; s < steps; ++s) {
        sum += entropy_.data[offset(row, s)];
        if (s >= window) sum -= entropy_.data[offset(row, s - window)];
        const double mean = sum / std::min(s + 1, window);
        rolling_.data[offset(row, s)] = mean;
        switch_.data[offset(row, s)] = mean > start_->number("threshold") ? 1 : 0;
    }
}

void GenerationLanes::add_diversity(int row, const std::vector<std::int32_t>& ids) {
    const int n = start_->integer("distinct");
    std::set<std::int32_t> types;
    std::set<std::vector<std::int32_t>> grams;
    double entropy = 0;
    for (int s = 0; s < static_cast<int>(ids.size()); ++s) {
        types.insert(ids[static_cast<std::size_t>(s)]);
        types_.data[offset(row, s)] = static_cast<double>(types.size()) / (s + 1);
        entropy += entropy_.data[offset(row, s)];
        if (s + 1 < n) continue;
        grams.insert({ids.begin() + (s + 1 - n), ids.begin() + (s + 1)});
        distinct_.data[offset(row, s)] = static_cast<double>(grams.size()) / (s + 2 - n);
    }
    const auto last = [&](const sdk::ResultData& result) {
        const double value = result.data[offset(row, static_cast<int>(ids.size()) - 1)];
        return std::isnan(value) ? sdk::Json() : sdk::Json(value);
    };
    diversity_.push_back({{"row", row},
                          {"tokens", ids.size()},
                          {"type_token_ratio", last(types_)},
                          {"distinct_" + std::to_string(n), last(distinct_)},
                          {"mean_entropy", entropy / static_cast<double>(ids.size())}});
}

std::string GenerationLanes::note() const {
    std::string said;
    if (given_)
        said = "The tokens were given.";
    else if (start_->number("temperature") <= 0)
        said = "Greedy.";
    else
        said = "Drawn at temperature " + sdk::Json(start_->number("temperature")).dump() + ", top_k " +
               std::to_string(start_->integer("top_k")) + ", top_p " +
               sdk::Json(start_->number("top_p")).dump() + ", seed " +
               std::to_string(start_->integer("seed")) + ".";
    if (!given_)
        for (const auto& [step, id] : forced_)
            said += " Token " + std::to_string(id) + " taken at step " + std::to_string(step) + ".";
    const int window = start_->integer("window");
    return said + " Rolling entropy over " + std::to_string(window) + (window == 1 ? " step" : " steps") +
           "; to switch: above " + sdk::Json(start_->number("threshold")).dump() +
           " nats. Layers count from 0.";
}

sdk::Reply GenerationLanes::step(const sdk::Answer& answer) {
    const auto rows = static_cast<int>(start_->rows.size());
    for (int row = 0; row < rows; ++row)
        lengths_.push_back(static_cast<int>(answer.generated(0, row).at("steps").size()));
    longest_ = *std::max_element(lengths_.begin(), lengths_.end());
    if (depth_) unembedding_.emplace(start_->model, answer);
    ids_ = lane("ids");
    prob_ = lane("prob");
    entropy_ = lane("entropy");
    varentropy_ = lane("varentropy");
    top1_ = lane("top1");
    margin_ = lane("margin");
    sink_ = lane("sink_mass");
    first_ = lane("first_leads");
    stays_ = lane("leads_from");
    rolling_ = lane("rolling_entropy");
    switch_ = lane("switch");
    types_ = lane("type_token_ratio");
    distinct_ = lane("distinct_n");
    for (sdk::ResultData* whole_numbers : {&ids_, &first_, &stays_, &switch_})
        whole_numbers->whole = true;
    if (!heads_.empty()) {
        sdk::Axis axis{"head", static_cast<std::int64_t>(heads_.size())};
        for (const Head& head : heads_)
            axis.labels.push_back("L" + std::to_string(head.layer) + "H" + std::to_string(head.head));
        heads_entropy_ = lane("head_entropy", {axis});
    }
    for (int row = 0; row < rows; ++row) {
        const int steps = lengths_[static_cast<std::size_t>(row)];
        if (!report(static_cast<double>(row) / rows, "reading the lanes"))
            return sdk::Failure{"cancelled", "The job was cancelled."};
        add_steps(answer, row);
        const auto ids = answer.generated(0, row).at("new_ids").get<std::vector<std::int32_t>>();
        for (int s = 0; depth_ && s < steps; ++s)
            add_depth(answer, row, s, ids[static_cast<std::size_t>(s)]);
        add_rolling(row, steps);
        add_diversity(row, ids);
    }
    std::vector<sdk::ResultData> results{ids_, entropy_, varentropy_, top1_, margin_, prob_, sink_};
    if (!heads_.empty()) results.push_back(heads_entropy_);
    if (depth_) results.insert(results.end(), {first_, stays_});
    results.insert(results.end(),
                   {rolling_, switch_, types_, distinct_, sdk::ResultData::table("tokens", tokens_),
                    sdk::ResultData::table("alternatives", others_),
                    sdk::ResultData::table("diversity", diversity_), sdk::ResultData::text("note", note())});
    return sdk::Done{std::move(results)};
}

} // namespace vitrine::analysis
