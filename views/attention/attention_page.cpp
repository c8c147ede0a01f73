#include "views/attention/attention_page.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <algorithm>

#include "views/attention/long_pictures.h"
#include "views/attention/sinks.h"

namespace vitrine::views {

AttentionPage::AttentionPage(Desk& desk, QWidget* parent)
    : QWidget(parent), desk_(desk), opener_(new HeadOpener(this)), controls_(new QWidget(this)),
      measure_box_(new QComboBox(this)), heads_box_(new QComboBox(this)), scale_box_(new QComboBox(this)),
      dots_box_(new QComboBox(this)), sinks_box_(new QCheckBox(tr("No sinks"), this)),
      arcs_box_(new QCheckBox(tr("Arcs"), this)), splitter_(new QSplitter(Qt::Horizontal, this)),
      grid_canvas_(new FigureCanvas(desk, this)), head_canvas_(new FigureCanvas(desk, this)),
      place_(new QStackedWidget(this)), empty_(new EmptyState(this)) {
    build_controls();
    splitter_->addWidget(grid_canvas_);
    splitter_->addWidget(head_canvas_);
    splitter_->setStretchFactor(0, 2);
    splitter_->setStretchFactor(1, 3);
    splitter_->setChildrenCollapsible(true);
    grid_canvas_->setMinimumWidth(180);
    head_canvas_->setMinimumWidth(260);
    grid_canvas_->setAccessibleName(tr("Attention of all heads"));
    head_canvas_->setAccessibleName(tr("Attention of the selected head"));
    place_->addWidget(splitter_);
    place_->addWidget(empty_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(6, 4, 6, 0);
    column->setSpacing(4);
    column->addWidget(place_, 1);
    take_controls();

    connect(&desk_, &Desk::run_changed, this, &AttentionPage::run_changed);
    connect(&desk_, &Desk::theme_changed, this, &AttentionPage::redraw);
    connect(&desk_.selection, &Selection::changed, this, &AttentionPage::selection_changed);
    connect(&desk_.heads, &HeadSet::changed, this, [this] {
        redraw();
        emit state_changed();
    });
    connect(empty_, &EmptyState::pressed, this, &AttentionPage::way_out);
    connect(splitter_, &QSplitter::splitterMoved, this, [this] {
        const QList<int> sizes = splitter_->sizes();
        grid_share_ = static_cast<double>(sizes[0]) / std::max(1, sizes[0] + sizes[1]);
        emit state_changed();
    });
    connect(opener_, &HeadOpener::opened, this, &AttentionPage::head_opened);
    connect(opener_, &HeadOpener::refused, this, &AttentionPage::head_refused);
    connect(opener_, &HeadOpener::tile_read, this,
            [this](const TileWish& wish, const std::shared_ptr<const attention::Patch>& patch) {
                if (large_) large_->take(wish, patch);
            });
    connect(opener_, &HeadOpener::tiles_read, this, [this] {
        if (head_ && head_->large == large_) head_canvas_->redraw();
    });
    connect(head_canvas_, &FigureCanvas::double_clicked, this, [this] { show_grid(!grid_wanted_); });
    run_changed();
}

void AttentionPage::take_controls() {
    controls_->setParent(this);
    static_cast<QVBoxLayout*>(layout())->insertWidget(0, controls_);
    controls_->show();
}

void AttentionPage::build_controls() {
    const auto named = [](QComboBox* box, Measure measure, const QString& name, const QString& tip) {
        box->addItem(name, static_cast<int>(measure));
        box->setItemData(box->count() - 1, tip, Qt::ToolTipRole);
    };
    named(measure_box_, Measure::weight, tr("Attention"), tr("After the softmax: each row sums to 1."));
    named(measure_box_, Measure::score, tr("Scores"), tr("Query · key, scaled, before the softmax."));
    named(measure_box_, Measure::value_weighted, tr("Value-weighted"),
          tr("A · ‖v W_O‖: the attention times the length of what it moves."));
    named(measure_box_, Measure::rollout, tr("Rollout"),
          tr("Attention through all layers up to one: the product of (A + I)/2, heads averaged."));
    measure_box_->setToolTip(
        tr("What the cells show: attention after the softmax, scores before it, attention "
           "weighted by what it moves (A · ‖v W_O‖), or attention rollout."));
    measure_box_->setAccessibleName(tr("Measure"));
    heads_box_->addItem(tr("One head"), static_cast<int>(Large::head));
    heads_box_->addItem(tr("Layer mean"), static_cast<int>(Large::layer_mean));
    heads_box_->addItem(tr("Set mean"), static_cast<int>(Large::set_mean));
    heads_box_->setToolTip(tr("The large picture: the selected head, the mean over its layer's heads, or the "
                              "mean over a set of heads: S adds the selected head to the set."));
    arcs_box_->setToolTip(
        tr("Draws the selected query's attention as arcs over the tokens above: the thicker, "
           "the more."));
    heads_box_->setAccessibleName(tr("Large picture"));
    scale_box_->addItem(tr("Linear"), false);
    scale_box_->addItem(tr("Log"), true);
    scale_box_->setToolTip(tr(
        "Colours by the weight, or by its logarithm: that shows weights down to 0.0001, in long texts down "
        "to 0.00001."));
    scale_box_->setAccessibleName(tr("Colour scale"));
    dots_box_->addItem(tr("Largest"), false);
    dots_box_->addItem(tr("Mean"), true);
    dots_box_->setToolTip(tr(
        "What a dot shows that stands for many cells of a long text: the largest of them, so that nothing "
        "bright is lost, or their mean, so that an even spread looks even. Zoomed in, each cell is itself."));
    dots_box_->setAccessibleName(tr("Cells under a dot"));
    dots_box_->hide();
    sinks_box_->setToolTip(
        tr("Leaves out the columns of attention sinks and brings each row back to a sum of 1. "
           "A head fades by the attention that its sinks had taken."));
    auto* row = new QHBoxLayout(controls_);
    row->setContentsMargins(2, 0, 2, 3);
    row->setSpacing(4);
    row->addStretch(1);
    for (QWidget* control : {static_cast<QWidget*>(measure_box_), static_cast<QWidget*>(heads_box_),
                             static_cast<QWidget*>(scale_box_), static_cast<QWidget*>(dots_box_),
                             static_cast<QWidget*>(sinks_box_), static_cast<QWidget*>(arcs_box_)})
        row->addWidget(control);
    connect(measure_box_, &QComboBox::currentIndexChanged, this, [this] {
        options_.measure = static_cast<Measure>(measure_box_->currentData().toInt());
        run_changed();
        emit state_changed();
    });
    connect(arcs_box_, &QCheckBox::toggled, this, [this](bool on) {
        emit arcs_changed(on);
        emit state_changed();
    });
    connect(heads_box_, &QComboBox::currentIndexChanged, this, [this] {
        options_.large = static_cast<Large>(heads_box_->currentData().toInt());
        redraw();
        emit state_changed();
    });
    connect(scale_box_, &QComboBox::currentIndexChanged, this, [this] {
        options_.log = scale_box_->currentData().toBool();
        redraw();
        emit state_changed();
    });
    connect(dots_box_, &QComboBox::currentIndexChanged, this, [this] {
        options_.mean = dots_box_->currentData().toBool();
        redraw();
        emit state_changed();
    });
    connect(sinks_box_, &QCheckBox::toggled, this, [this](bool on) {
        options_.sinks_out = on;
        redraw();
        if (is_long()) emit briefs_wanted();
        emit state_changed();
    });
}

void AttentionPage::choose(Measure measure) {
    measure_box_->setCurrentIndex(measure_box_->findData(static_cast<int>(measure)));
}

bool AttentionPage::arcs() const { return arcs_box_->isChecked(); }

void AttentionPage::run_changed() {
    AttentionData data = attention_data(desk_);
    if (data.run && data.run->is_long() && data.said_in_place.isEmpty()) {
        command_.clear();
        take_data(long_data(desk_, options_.measure, data_));
        if (is_long()) emit briefs_wanted();
        return;
    }
    if (options_.measure != Measure::weight && data.run && data.said_in_place.isEmpty()) {
        // The last picture stays until the analysis has answered, if it is one of the same text.
        const bool same = data_.measure == options_.measure && data_.run &&
                          data_.run->size() == data.run->size() && data_.difference == data.difference &&
                          data_.said_in_place.isEmpty();
        if (!same) take_data(measured_data(desk_, options_.measure, {}));
        emit measure_wanted();
        return;
    }
    command_.clear();
    take_data(std::move(data));
}

void AttentionPage::show_measured(const std::vector<engine::ResultValue>& results, const QString& command) {
    if (options_.measure == Measure::weight) return;
    command_ = command;
    take_data(measured_data(desk_, options_.measure, results));
}

void AttentionPage::refuse_measure(const QString& sentence) {
    if (options_.measure == Measure::weight) return;
    AttentionData data = measured_data(desk_, options_.measure, {});
    data.said_in_place = sentence;
    take_data(std::move(data));
}

void AttentionPage::take_data(AttentionData data) {
    const bool other_length = !data_.run || !data.run || data_.run->size() != data.run->size();
    data_ = std::move(data);
    const bool weights = data_.measure == Measure::weight;
    scale_box_->setEnabled(!data_.difference && data_.measure != Measure::score);
    sinks_box_->setEnabled(!data_.difference && weights);
    heads_box_->setEnabled(data_.measure != Measure::rollout);
    const bool dots = data_.store != nullptr;
    if (dots_box_->isHidden() == dots) {
        dots_box_->setVisible(dots);
        emit controls_changed();
    }
    if (!is_long()) large_.reset();
    if (head_ && other_length) head_->fit();
    // Where there is nothing to draw, one sentence and the way out.
    if (!data_.run)
        empty_->say(data_.said_in_place, tr("Try an example"));
    else
        empty_->say(data_.said_in_place, desk_.side() == Side::a || !weights ? QString() : tr("Show A"));
    place_->setCurrentIndex(data_.said_in_place.isEmpty() ? 0 : 1);
    arrange();
    redraw();
}

void AttentionPage::way_out() {
    if (data_.run)
        desk_.set_side(Side::a);
    else
        emit example_wanted();
}

void AttentionPage::redraw() {
    redraw_grid();
    redraw_head();
}

void AttentionPage::redraw_grid() {
    const bool of_long = is_long();
    grid_ = of_long ? long_grid_picture(data_, options_, desk_.theme())
                    : grid_picture(data_, options_, desk_.theme());
    mark_grid();
    FigureSource source;
    source.name = QStringLiteral("attention-grid");
    source.topic = QStringLiteral("attention");
    if (data_.run) {
        source.command = command_.isEmpty()
                             ? capture_command(*data_.run, QStringLiteral("*.attn.hook_pattern"))
                             : command_;
        source.provenance = data_.run->provenance;
        if (of_long)
            source.why_no_results =
                tr("The numbers of all heads are too many to be written at once: open one "
                   "head, or export the picture.");
        else if (data_.said_in_place.isEmpty())
            source.results = [data = data_] { return grid_results(data); };
    }
    grid_canvas_->show_picture(grid_, source);
}

void AttentionPage::show_briefs() {
    if (!is_long()) return;
    const bool rescaled = widen_scale(data_);
    if (!data_.said_in_place.isEmpty()) {
        take_data(data_);
        return;
    }
    redraw_grid();
    // One scale for all; and a head may have waited for the lengths of its values.
    if (rescaled || (head_ && !head_->large)) redraw_head();
}

void AttentionPage::mark_grid() {
    const auto& second = desk_.selection.second();
    grid_->selected_layer = desk_.selection.place().layer;
    grid_->selected_head = desk_.selection.place().head;
    grid_->second_layer = second ? second->layer : -1;
    grid_->second_head = second ? second->head : -1;
    if (grid_->merged) grid_->selected_head = 0, grid_->second_head = -1;
    grid_->in_set.clear();
    if (grid_->merged || !data_.run || desk_.heads.all().empty()) return;
    for (int layer = 0; layer < data_.run->layers; ++layer)
        for (int head = 0; head < data_.run->heads; ++head)
            grid_->in_set.push_back(desk_.heads.contains(layer, head));
}

void AttentionPage::redraw_head() {
    const Place place = desk_.selection.place();
    if (!is_long()) {
        show_head(head_picture(data_, options_, place, desk_.heads, desk_.theme()));
        return;
    }
    auto map = long_head_picture(data_, options_, place, desk_.theme());
    if (map->said_in_place.isEmpty() && !fill_long_head(*map)) {
        head_canvas_->set_waiting(true); // the last picture stays
        if (head_ && head_->large) return;
        map->said_in_place = tr("Reading the head…");
    }
    show_head(std::move(map));
}

// From what is read of the head so far; false if the rest is on its way.
bool AttentionPage::fill_long_head(figure::Heatmap& map) {
    const Place place = desk_.selection.place();
    HeadWish wish{data_.store, place.layer, place.head, {cells_of(data_.measure)}};
    auto shown = wish.store->find(place.layer, place.head, wish.look);
    if (shown && data_.measure == Measure::weight && !data_.difference) {
        map.style.marked = sinks_by(shown->statistics().alpha);
        const bool any =
            std::find(map.style.marked.begin(), map.style.marked.end(), true) != map.style.marked.end();
        if (options_.sinks_out && any) {
            map.style.opacity = 1 - mass_by(shown->statistics().alpha, map.style.marked);
            wish.look.keys_out = map.style.marked;
        }
        map.sinks_out = options_.sinks_out;
        if (options_.sinks_out) map.title += tr(", sinks left out");
    }
    shown = opener_->open(wish);
    if (!shown) return false;
    if (!large_ || large_->head() != shown)
        large_ = std::make_shared<LargeHead>(
            shown, [this](std::vector<TileWish> tiles) { opener_->want(std::move(tiles)); });
    map.large = large_;
    return true;
}

void AttentionPage::head_opened() {
    if (is_long() && widen_scale(data_)) redraw_grid();
    redraw_head();
    emit desk_.facts_changed();
}

void AttentionPage::head_refused(const QString& sentence) {
    if (!is_long()) return;
    auto map = long_head_picture(data_, options_, desk_.selection.place(), desk_.theme());
    map->said_in_place = sentence;
    show_head(std::move(map));
}

bool AttentionPage::settled() const {
    if (!is_long() || !head_ || !head_->large || head_->large != large_) return false;
    const Place place = desk_.selection.place();
    attention::Look look{cells_of(data_.measure)};
    auto wanted = data_.store->find(place.layer, place.head, look);
    if (wanted && options_.sinks_out && data_.measure == Measure::weight && !data_.difference) {
        look.keys_out = sinks_by(wanted->statistics().alpha);
        if (std::find(look.keys_out.begin(), look.keys_out.end(), true) != look.keys_out.end())
            wanted = data_.store->find(place.layer, place.head, look);
    }
    return wanted && large_->head() == wanted && large_->complete() && !opener_->busy();
}

void AttentionPage::show_head(std::shared_ptr<figure::Heatmap> map) {
    const Place place = desk_.selection.place();
    const auto tokens_of = [](const figure::Heatmap& of) {
        return of.large ? of.large->size() : of.values.rows;
    };
    const QRectF seen =
        head_ && tokens_of(*head_) == (data_.run ? data_.run->size() : 0) ? head_->view : QRectF();
    head_ = std::move(map);
    head_canvas_->set_waiting(!head_->large && is_long() && opener_->busy());
    head_->view = seen; // another head, the same part of the text
    head_->selected_row = place.query;
    head_->selected_col = place.key;
    if (const auto& second = desk_.selection.second())
        if (second->layer == place.layer && second->head == place.head)
            head_->second = QPoint(second->key, second->query);
    FigureSource source;
    source.name = QStringLiteral("attention-L%1H%2").arg(place.layer).arg(place.head);
    source.topic = QStringLiteral("attention");
    source.meaning = analysis_of(data_.measure).meaning;
    if (data_.difference)
        source.meaning = data_.measure == Measure::weight ? tr("A's weight minus B's")
                                                          : tr("A minus B: %1").arg(source.meaning);
    if (data_.run) {
        source.command =
            command_.isEmpty()
                ? capture_command(*data_.run, QStringLiteral("blocks.%1.attn.hook_pattern").arg(place.layer))
                : command_;
        source.provenance = data_.run->provenance;
        if (data_.said_in_place.isEmpty() && !is_long())
            source.results = [data = data_, place] { return head_results(data, place); };
        if (is_long()) {
            source.command = long_command(data_, place);
            source.why_no_results = why_no_long_results(*data_.run);
        }
        if (head_->large && source.why_no_results.isEmpty())
            source.results = [data = data_, head = large_->head()] { return long_head_results(data, *head); };
    }
    head_canvas_->show_picture(head_, source);
}

void AttentionPage::selection_changed() {
    if (grid_) {
        mark_grid();
        grid_canvas_->update();
    }
    redraw_head();
}

void AttentionPage::arrange() {
    grid_canvas_->setVisible(grid_wanted_);
    const int grid = static_cast<int>(grid_share_ * splitter_->width());
    splitter_->setSizes({grid, splitter_->width() - grid});
}

void AttentionPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    arrange();
}

void AttentionPage::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    arrange();
}

void AttentionPage::show_grid(bool on) {
    grid_wanted_ = on;
    arrange();
    emit state_changed();
}

Json AttentionPage::state() const {
    Json out{{"log", options_.log},
             {"sinks_out", options_.sinks_out},
             {"large", static_cast<int>(options_.large)},
             {"measure", static_cast<int>(options_.measure)},
             {"arcs", arcs()},
             {"mean", options_.mean},
             {"grid", grid_wanted_}};
    out["grid_share"] = grid_share_;
    return out;
}

void AttentionPage::restore(const Json& state) {
    if (!state.is_object()) return;
    const auto flag = [&](const char* name, bool otherwise) {
        const auto found = state.find(name);
        return found != state.end() && found->is_boolean() ? found->get<bool>() : otherwise;
    };
    scale_box_->setCurrentIndex(flag("log", false) ? 1 : 0);
    const auto index = [&](const char* name, const QComboBox* box) {
        const auto found = state.find(name);
        return found != state.end() && found->is_number_integer()
                   ? std::clamp(found->get<int>(), 0, box->count() - 1)
                   : 0;
    };
    heads_box_->setCurrentIndex(index("large", heads_box_));
    measure_box_->setCurrentIndex(index("measure", measure_box_));
    arcs_box_->setChecked(flag("arcs", false));
    sinks_box_->setChecked(flag("sinks_out", false));
    dots_box_->setCurrentIndex(flag("mean", false) ? 1 : 0);
    grid_wanted_ = flag("grid", true);
    if (const auto share = state.find("grid_share"); share != state.end() && share->is_number())
        grid_share_ = std::clamp(share->get<double>(), 0.2, 0.8);
    arrange();
}

} // namespace vitrine::views
