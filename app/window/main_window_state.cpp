// What the window remembers of the screen, and how it shows it again.
#include <QDockWidget>
#include <QTabWidget>
#include <algorithm>

#include "app/window/main_window.h"
#include "app/window/view_state.h"
#include "views/attention/find_heads.h"

namespace vitrine::window {

// ---- the first look ----

void MainWindow::first_run() {
    if (!fresh_) return;
    fresh_ = false;
    if (const auto found = views::find_telling_head(*desk_.a())) desk_.selection.set(found->place);
    doors_bar_->show_doors();
}

// ---- what is on the screen ----

Json MainWindow::view() const {
    const views::Place& place = desk_.selection.place();
    Json out{
        {"prompt", runner_->text().toStdString()},
        {"specials", static_cast<int>(runner_->form().specials)},
        {"chat", runner_->form().chat},
        {"page", page().toStdString()},
        {"place", {{"layer", place.layer}, {"head", place.head}, {"query", place.query}, {"key", place.key}}},
        {"side", static_cast<int>(desk_.side())},
        {"attention", attention_->state()},
        {"heads", heads_->state()},
        {"training", training_->state()}};
    if (!desk_.edits.all().empty()) out["edits"] = json_of(desk_.edits.all());
    for (const auto& [layer, head] : desk_.heads.all())
        out["set"].push_back({layer, head});
    for (const auto& [name, page] : analyses_)
        out["pages"][name.toStdString()] = page->state();
    out["lanes"] = lanes_->state();
    out["pins"] = pins_->state();
    for (const auto& [name, page] : panels_)
        out["panels"][name.toStdString()] = page->arrangement();
    if (const views::RunPtr& pinned = desk_.pinned())
        out["pinned"] = {{"prompt", pinned->prompt.toStdString()},
                         {"ids", ids_of(*pinned)},
                         {"edits", json_of(pinned->edits)},
                         {"step", pinned->step}};
    const views::RunPtr& run = desk_.b_is_edited() ? desk_.b() : desk_.a();
    if (run && run->prompt == runner_->text() && run->edits == desk_.edits.on_prompt())
        out["step"] = run->step;
    if (bench_.model()) {
        const engine::ModelRequest& request = bench_.model()->request;
        out["model"] = {{"name", request.name},
                        {"device", request.device},
                        {"precision", backend::name_of(request.precision)}};
    }
    return out;
}

void MainWindow::remember() {
    if (!restored_ || !pending_.is_null()) return;
    Json state = view();
    state["docks"] = saveState().toBase64().toStdString();
    state["doors"] = !doors_bar_->isHidden();
    state["edit_sets"] = json_of(desk_.edit_sets.all());
    keeper_->remember(state);
}

void MainWindow::apply_view(const Json& state) {
    pending_ = state; // selection, side and B wait for the run
    attention_->restore(part(state, "attention"));
    heads_->restore(part(state, "heads"));
    training_->restore(part(state, "training"));
    for (const auto& [name, page] : analyses_)
        page->restore(part(part(state, "pages"), name.toUtf8().constData()));
    lanes_->restore(part(state, "lanes"));
    pins_->restore(part(state, "pins"));
    for (const auto& [name, page] : panels_)
        page->arrange(part(part(state, "panels"), name.toUtf8().constData()));
    show_page(text_in(state, "page"));
    const QString prompt = text_in(state, "prompt");
    const std::int64_t step = number_in(state, "step");
    desk_.edits.set_all({}); // of another prompt, perhaps
    prompt_->set_text(prompt);
    runner_->set_form(form_in(state));
    const std::vector<views::Edit> edits = edits_in(part(state, "edits"));
    QStringList active;
    for (const views::Edit& edit : edits)
        if (edit.on) active << edit.text;
    // An edit that reads the pinned run waits for it.
    const bool reads_pinned = active.join(QLatin1Char('\n')).contains(QStringLiteral("from row=1"));
    if (!reads_pinned) desk_.edits.set_all(edits);
    if (step != 0 && !reads_pinned)
        runner_->show_recorded(prompt, active, step);
    else
        runner_->set_text(prompt);
}

void MainWindow::apply_pending() {
    if (pending_.is_null()) return;
    const Json& pinned = part(pending_, "pinned");
    if (pinned.is_object() && !desk_.pinned()) {
        // Once more when B is there.
        connect(
            &desk_, &views::Desk::run_changed, this,
            [this] {
                if (desk_.pinned()) apply_pending();
            },
            Qt::SingleShotConnection);
        runner_->pin_as_b(text_in(pinned, "prompt"), ids_in(part(pinned, "ids")),
                          texts_in(part(pinned, "edits")), number_in(pinned, "step"));
        return;
    }
    const Json state = std::exchange(pending_, Json());
    desk_.edits.set_all(edits_in(part(state, "edits")));
    std::vector<views::HeadSet::Head> set;
    if (const Json& heads = part(state, "set"); heads.is_array())
        for (const Json& head : heads)
            if (head.is_array() && head.size() == 2 && head[0].is_number_integer() &&
                head[1].is_number_integer() && desk_.a() && head[0] >= 0 && head[0] < desk_.a()->layers &&
                head[1] >= 0 && head[1] < desk_.a()->heads)
                set.emplace_back(head[0].get<int>(), head[1].get<int>());
    desk_.heads.set_all(std::move(set));
    const Json& place = part(state, "place");
    if (place.is_object())
        desk_.selection.set(
            {static_cast<int>(number_in(place, "layer")), static_cast<int>(number_in(place, "head")),
             static_cast<int>(number_in(place, "query")), static_cast<int>(number_in(place, "key"))});
    const auto side = static_cast<views::Side>(std::clamp<std::int64_t>(number_in(state, "side"), 0, 2));
    if (desk_.b() || side == views::Side::a) desk_.set_side(side);
}

void MainWindow::restore(const Json& state) {
    runs_dock_->setWindowTitle(keeper_->is_open() ? tr("Runs") : tr("Runs: not recorded"));
    session_page_->show_folder(QString::fromStdString(keeper_->folder().string()));
    const bool first = !restored_;
    const Preferences preferences = Preferences::load();
    engine::ModelRequest request = options_.model;
    request.threads = preferences.threads;
    if (!options_.model_given) {
        request.device = preferences.device.toStdString();
        request.precision = preferences.precision;
    }
    fresh_ = !state.is_object();
    desk_.edit_sets.set_all(edit_sets_in(part(state, "edit_sets")));
    if (fresh_) {
        prompt_->set_text(Doors::example_prompt());
        runner_->set_text(Doors::example_prompt());
    } else {
        restoreState(QByteArray::fromBase64(text_in(state, "docks").toLatin1()));
        const Json& doors = part(state, "doors");
        doors_bar_->setVisible(doors.is_boolean() && doors.get<bool>());
        const Json& model = part(state, "model");
        if (!options_.model_given && model.is_object()) {
            request.name = text_in(model, "name").toStdString();
            request.device = text_in(model, "device").toStdString();
            request.precision = text_in(model, "precision") == QLatin1String("mixed")
                                    ? backend::Precision::mixed
                                    : backend::Precision::exact;
        }
        apply_view(state);
    }
    top_->set_request(request);
    if (first || !bench_.model()) bench_.open_model(request);
    setWindowTitle(tr("%1 – Vitrine").arg(QString::fromStdString(options_.session.stem().string())));
    restored_ = true;
    lanes_->generations().reload();
}

} // namespace vitrine::window
