#include "app/window/lanes_feed.h"

#include <QEvent>
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "app/window/generation_words.h"
#include "core/engine/analysis_parameters.h"
#include "views/figure/lanes_for.h"

namespace vitrine::window {

namespace {

constexpr const char* id = "generation-lanes";
constexpr int usual_tokens = 16;
constexpr std::array of_sampling = {"max_new", "temperature", "top_k", "top_p", "seed"};

const engine::ResultValue* named(const std::vector<engine::ResultValue>& results, const std::string& name) {
    for (const engine::ResultValue& result : results)
        if (result.name == name) return &result;
    return nullptr;
}

} // namespace

LanesFeed::LanesFeed(Bench& bench, views::Desk& desk, Runner& runner, views::LanesPage& page, QObject* parent)
    : QObject(parent), bench_(bench), desk_(desk), runner_(runner), page_(page), generations_(bench) {
    connect_page();
    connect_generations();
    connect(&desk_, &views::Desk::run_changed, this, &LanesFeed::draw);
    connect(&desk_, &views::Desk::theme_changed, this, &LanesFeed::draw);
    page_.installEventFilter(this);
}

void LanesFeed::connect_page() {
    connect(&page_, &views::LanesPage::generate_wanted, this, [this] { runner_.generate(); });
    connect(&page_, &views::LanesPage::button_pressed, this, [this] {
        if (std::exchange(again_, false))
            ask();
        else
            runner_.generate();
    });
    connect(&page_, &views::LanesPage::difference_changed, this, [this] {
        draw();
        emit state_changed();
    });
    connect(&page_, &views::LanesPage::settings_changed, this, [this] {
        take_sampling();
        ask();
        emit state_changed();
    });
    connect(&page_, &views::LanesPage::step_clicked, this, &LanesFeed::select_step);
    connect(&page_.tree(), &views::BranchTree::chosen, this, &LanesFeed::tree_selected);
    connect(&page_.alternatives(), &views::StepAlternatives::chosen, this, &LanesFeed::branch_with);
}

void LanesFeed::connect_generations() {
    connect(&runner_, &Runner::drew, this, &LanesFeed::draw_live);
    connect(&generations_, &Generations::drew, this, &LanesFeed::draw_live);
    connect(&runner_, &Runner::generation_done, this,
            [this](const std::shared_ptr<const engine::GenerateRecord>& record) {
                generations_.add(*record, 0);
            });
    connect(&bench_, &Bench::cancelled, this, &LanesFeed::stopped);
    connect(&runner_, &Runner::refused, this, [this](const QString& sentence) {
        if (!sentence.isEmpty() && live_.stop()) ask();
    });
    connect(&generations_, &Generations::added, this,
            [this](std::int64_t step) { show_generations({step}); });
    connect(&generations_, &Generations::changed, this, &LanesFeed::generations_changed);
    connect(&generations_, &Generations::refused, this, [this](const QString& sentence) {
        live_.stop();
        page_.say(sentence, tr("Generate"));
    });
    connect(&generations_, &Generations::recorded, this, &LanesFeed::recorded);
}

bool LanesFeed::eventFilter(QObject* watched, QEvent* event) {
    if (watched == &page_ && event->type() == QEvent::Show) ask();
    return QObject::eventFilter(watched, event);
}

// ---- settings ----

void LanesFeed::set_manifests(const Json& manifests) {
    for (const Json& manifest : manifests)
        if (manifest.at("id") == id) manifest_ = manifest;
    if (manifest_.is_null()) return;
    Json form = manifest_;
    Json fields = Json::array();
    for (const Json& parameter : manifest_["parameters"]) // these two are what the tree chooses
        if (parameter["name"] != "branch" && parameter["name"] != "continuation") fields.push_back(parameter);
    for (Json& field : fields)
        if (field["name"] == "max_new") field["default"] = usual_tokens;
    form["parameters"] = std::move(fields);
    page_.show_manifest(form, QString::fromStdString(manifest_.value("summary", std::string())));
    if (!pending_.is_null()) restore(std::exchange(pending_, Json()));
    take_sampling();
    ask();
}

Result<Json> LanesFeed::parameters() const {
    if (manifest_.is_null()) return fail(Code::internal, "This analysis does not exist in this build.");
    Json given = page_.form().values();
    if (!given.contains("max_new")) given["max_new"] = usual_tokens;
    return engine::check_parameters(manifest_, given, {});
}

void LanesFeed::take_sampling() {
    const auto checked = parameters();
    if (!checked) {
        page_.say(QString::fromStdString(checked.error().message));
        return;
    }
    runner_.set_sampling({(*checked)["max_new"].get<int>(), (*checked)["temperature"].get<double>(),
                          (*checked)["top_k"].get<int>(), (*checked)["top_p"].get<double>(),
                          (*checked)["seed"].get<std::uint64_t>()});
}

Json LanesFeed::state() const {
    if (manifest_.is_null()) return pending_;
    Json shown = Json::array();
    for (const std::int64_t step : wanted_.empty() ? shown_ : wanted_)
        if (step > 0) shown.push_back(step);
    return {{"values", page_.form().values()},
            {"shown", std::move(shown)},
            {"step", step_},
            {"difference", page_.difference()}};
}

void LanesFeed::restore(const Json& state) {
    if (!state.is_object()) return;
    if (manifest_.is_null()) {
        pending_ = state;
        return;
    }
    if (state.contains("values")) page_.form().set_values(state["values"]);
    take_sampling();
    wanted_.clear();
    if (const auto shown = state.find("shown"); shown != state.end() && shown->is_array())
        for (const Json& step : *shown)
            if (step.is_number_integer()) wanted_.push_back(step.get<std::int64_t>());
    if (const auto step = state.find("step"); step != state.end() && step->is_number_integer())
        step_ = step->get<int>();
    if (const auto on = state.find("difference"); on != state.end() && on->is_boolean())
        page_.set_difference(on->get<bool>());
    generations_.reload();
}

// ---- lanes ----

Json LanesFeed::lane_values(const Generation& of) const {
    Json values = page_.form().values();
    for (const char* name : of_sampling)
        values.erase(name);
    values["continuation"] = of.ids;
    return values;
}

std::string LanesFeed::key_of(const Generation& of) const {
    return fmt::format("{} {} {}", of.step, of.weights, dump_json(lane_values(of)));
}

const Generation* LanesFeed::first_shown() const {
    return shown_.empty() ? nullptr : generations_.find(shown_.front());
}

void LanesFeed::show_generations(const std::vector<std::int64_t>& steps) {
    wanted_.clear();
    shown_.clear();
    for (const std::int64_t step : steps)
        if (generations_.find(step) && shown_.size() < figure::Lanes::most_runs) shown_.push_back(step);
    live_.stop();
    show_tree();
    ask();
    emit state_changed();
}

void LanesFeed::ask() {
    if (!page_.isVisible() || manifest_.is_null() || !bench_.model()) return;
    page_.allow_difference(shown_.size() == 2);
    if (shown_.empty()) {
        if (!live_.on()) page_.say(tr("Nothing has been generated from a prompt yet."), tr("Generate"));
        return;
    }
    for (const std::int64_t step : shown_) {
        const Generation* of = generations_.find(step);
        if (of && !records_.contains(key_of(*of))) {
            compute(*of, false); // the others follow when it is there
            return;
        }
    }
    draw();
}

// The text is given to the analysis token by token, so that interventions mean the same positions as they
// did.
void LanesFeed::compute(const Generation& of, bool record) {
    const auto model = bench_.model();
    const engine::JobId job = bench_.post(
        this, record ? "record lanes" : "lanes", "analysis generation-lanes",
        [model, values = lane_values(of), row = of.spec.prompt.rows.front(),
         changes = engine::Changes{of.spec.prompt.edits, of.spec.prompt.attention},
         record](engine::Engine& engine, const CancelToken& cancel, const Progress& progress) {
            return engine.analyze(*model, id, values, {row}, cancel, progress, record, changes);
        },
        [this, key = key_of(of), record](const Result<engine::AnalysisRecord>& answer) {
            if (record) {
                emit recorded();
                return;
            }
            job_ = 0;
            if (answer) {
                records_.insert_or_assign(key, *answer);
                ask();
            } else if (answer.error().code != Code::cancelled) {
                page_.say(QString::fromStdString(answer.error().message));
            }
        },
        record ? engine::Priority::normal : engine::Priority::background);
    if (!record) job_ = job;
}

void LanesFeed::record_shown() {
    if (!page_.lanes()) return;
    for (const std::int64_t step : shown_)
        if (const Generation* of = generations_.find(step)) compute(*of, true);
}

void LanesFeed::draw() {
    const Generation* front = first_shown();
    if (live_.on() || !front || !bench_.model()) return;
    std::vector<figure::LaneSource> sources;
    const engine::AnalysisRecord* first = nullptr;
    QStringList commands;
    for (const std::int64_t step : shown_) {
        const Generation* of = generations_.find(step);
        const auto record = of ? records_.find(key_of(*of)) : records_.end();
        if (record == records_.end()) return; // on its way
        if (!first) first = &record->second;
        sources.push_back({name_of(*bench_.model(), *of), &record->second.results});
        commands << command_of(*bench_.model(), *of, id, lane_values(*of));
    }
    const double threshold = first->parameters.value("threshold", NAN);
    const bool two = page_.difference() && sources.size() == 2;
    auto picture = figure::lanes_for(sources, threshold, two);
    if (!picture) {
        page_.say(tr("These generations have no step in common."));
        return;
    }
    if (sources.size() == 1) picture->said = QString();
    // Positions are linked with the selection where the text that is shown begins with this one.
    const std::vector<std::int32_t>& prompt = front->spec.prompt.rows.front().ids;
    const views::RunPtr& run = desk_.shown();
    picture->linked = run && run->size() >= static_cast<int>(prompt.size());
    for (std::size_t i = 0; run && i < prompt.size() + front->ids.size() && i < run->tokens.size(); ++i)
        if (run->tokens[i].id != (i < prompt.size() ? prompt[i] : front->ids[i - prompt.size()]))
            picture->linked = false;
    views::FigureSource source;
    source.name = QString::fromLatin1(id);
    source.topic = QStringLiteral("entropy");
    source.command = commands.join(QLatin1Char('\n'));
    source.provenance = first->provenance;
    source.provenance["analysis"] = id;
    source.provenance["parameters"] = first->parameters;
    source.results = [results = first->results] { return results; };
    picture->selected = step_;
    page_.show_lanes(picture, source);
    show_alternatives();
}

void LanesFeed::draw_live(const run::GenerateStep& step) {
    const auto model = bench_.model();
    live_.add(step, model && model->tokenizer ? model->tokenizer->token_text(step.id) : std::string());
    if (!page_.isVisible()) return;
    if (const auto picture = live_.picture()) page_.show_lanes(picture, {});
}

// A text that was stopped: what was shown before is shown again. Lanes that were stopped bring no answer.
void LanesFeed::stopped(engine::JobId id) {
    const bool waited = job_ != 0 && (id == 0 || id == job_);
    if (waited) job_ = 0;
    if (live_.stop()) {
        ask();
    } else if (waited) {
        again_ = true;
        page_.say(tr("Stopped before it was done."), tr("Compute the lanes"));
    }
}

// ---- the step and its alternatives ----

void LanesFeed::select_step(int step) {
    step_ = step;
    const Generation* of = first_shown();
    if (of && lanes() && lanes()->linked)
        desk_.selection.set_query(static_cast<int>(of->spec.prompt.rows.front().ids.size()) + step - 1);
    else
        draw();
    show_alternatives();
    emit state_changed();
}

void LanesFeed::show_alternatives() {
    offers_.clear();
    const Generation* of = first_shown();
    const auto record = of ? records_.find(key_of(*of)) : records_.end();
    if (step_ < 0 || record == records_.end() || step_ >= static_cast<int>(of->ids.size()) ||
        !bench_.model()) {
        page_.alternatives().show_nothing();
        return;
    }
    const std::int32_t own = of->ids[static_cast<std::size_t>(step_)];
    const engine::ResultValue* table = named(record->second.results, "alternatives");
    if (table && table->json.is_array())
        for (const Json& entry : table->json)
            if (entry.value("step", -1) == step_) {
                const auto other = entry.value("id", std::int32_t{0});
                offers_.push_back({other, token_shown(*bench_.model(), other), entry.value("prob", 0.0)});
            }
    page_.alternatives().show_offers(step_, {own, token_shown(*bench_.model(), own), 0}, offers_);
}

void LanesFeed::branch_with(std::int32_t other) {
    if (shown_.empty() || step_ < 0) return;
    const auto checked = parameters();
    const int tokens = checked ? (*checked)["max_new"].get<int>() : usual_tokens;
    generations_.branch(shown_.front(), step_, other, tokens);
}

// ---- the tree ----

void LanesFeed::generations_changed() {
    const auto gone = [this](std::int64_t step) { return !generations_.find(step); };
    std::erase_if(shown_, gone);
    std::erase_if(wanted_, gone);
    if (!wanted_.empty()) shown_ = std::exchange(wanted_, {});
    if (shown_.empty() && !generations_.all().empty()) shown_ = {generations_.all().rbegin()->first};
    show_tree();
    ask();
}

void LanesFeed::show_tree() {
    // Parents have smaller numbers than what leaves them (unrecorded ones count downwards).
    std::vector<const Generation*> order;
    for (const auto& [step, one] : generations_.all())
        order.push_back(&one);
    std::sort(order.begin(), order.end(), [](const Generation* a, const Generation* b) {
        return std::pair(a->step < 0, std::abs(a->step)) < std::pair(b->step < 0, std::abs(b->step));
    });
    std::vector<views::Branch> branches;
    for (const Generation* of : order)
        if (bench_.model())
            branches.push_back(
                branch_of(*bench_.model(), *of, of->parent != 0 && generations_.find(of->parent) != nullptr));
    page_.show_branches(branches, shown_);
}

void LanesFeed::tree_selected(const std::vector<std::int64_t>& ids) {
    std::vector<std::int64_t> now = ids;
    // The one that was first stays first.
    std::stable_partition(now.begin(), now.end(), [this](std::int64_t step) {
        return std::find(shown_.begin(), shown_.end(), step) != shown_.end();
    });
    wanted_.clear();
    now.resize(std::min<std::size_t>(now.size(), figure::Lanes::most_runs));
    shown_ = std::move(now);
    live_.stop();
    ask();
    emit state_changed();
}

} // namespace vitrine::window
