#include "views/attention/attention_page.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>

namespace vitrine::views {

AttentionPage::AttentionPage(Desk& desk, QWidget* parent)
    : QWidget(parent), desk_(desk), controls_(new QWidget(this)), heads_box_(new QComboBox(this)),
      scale_box_(new QComboBox(this)), sinks_box_(new QCheckBox(tr("Leave sinks out"), this)),
      splitter_(new QSplitter(Qt::Horizontal, this)), grid_canvas_(new FigureCanvas(desk, this)),
      head_canvas_(new FigureCanvas(desk, this)), readout_(new QLabel(this)) {
    build_controls();
    splitter_->addWidget(grid_canvas_);
    splitter_->addWidget(head_canvas_);
    splitter_->setStretchFactor(0, 5);
    splitter_->setStretchFactor(1, 6);
    splitter_->setChildrenCollapsible(true);
    grid_canvas_->setMinimumWidth(180);
    head_canvas_->setMinimumWidth(260);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 6, 8, 4);
    column->setSpacing(4);
    column->addWidget(controls_);
    column->addWidget(splitter_, 1);
    column->addWidget(readout_);
    readout_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    readout_->setMinimumHeight(20);
    readout_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);

    connect(&desk_, &Desk::run_changed, this, &AttentionPage::run_changed);
    connect(&desk_, &Desk::theme_changed, this, &AttentionPage::redraw);
    connect(&desk_, &Desk::pointed, this, &AttentionPage::pointed);
    connect(&desk_.selection, &Selection::changed, this, &AttentionPage::selection_changed);
    connect(splitter_, &QSplitter::splitterMoved, this, [this] {
        const QList<int> sizes = splitter_->sizes();
        grid_share_ = static_cast<double>(sizes[0]) / std::max(1, sizes[0] + sizes[1]);
        emit state_changed();
    });
    connect(grid_canvas_, &FigureCanvas::clicked, this, [this](const QPointF& at) {
        if (!grid_) return;
        if (const auto head = grid_->head_at(at, grid_canvas_->frame(), desk_.theme()))
            desk_.selection.set_head(head->y(), head->x());
    });
    connect(grid_canvas_, &FigureCanvas::double_clicked, this, [this] { show_grid(false); });
    connect(head_canvas_, &FigureCanvas::double_clicked, this, [this] { show_grid(true); });
    connect(head_canvas_, &FigureCanvas::clicked, this, [this](const QPointF& at) {
        if (!head_) return;
        if (const auto cell = head_->cell_at(at, head_canvas_->frame(), desk_.theme())) {
            Place place = desk_.selection.place();
            place.query = cell->y();
            place.key = cell->x();
            desk_.selection.set(place);
        }
    });
    run_changed();
}

void AttentionPage::build_controls() {
    heads_box_->addItem(tr("One head"), false);
    heads_box_->addItem(tr("Mean over the layer's heads"), true);
    scale_box_->addItem(tr("Linear"), false);
    scale_box_->addItem(tr("Logarithmic"), true);
    sinks_box_->setToolTip(
        tr("Leaves out the columns of attention sinks and brings each row back to a sum of 1. "
           "A head fades by the attention that its sinks had taken."));
    auto* row = new QHBoxLayout(controls_);
    row->setContentsMargins(2, 0, 2, 0);
    row->setSpacing(8);
    const auto named = [&](const QString& text, QWidget* widget) {
        auto* label = new QLabel(text, this);
        label->setBuddy(widget);
        row->addWidget(label);
        row->addWidget(widget);
        row->addSpacing(10);
    };
    named(tr("Large picture"), heads_box_);
    named(tr("Colours"), scale_box_);
    row->addWidget(sinks_box_);
    row->addStretch(1);
    connect(heads_box_, &QComboBox::currentIndexChanged, this, [this] {
        options_.average = heads_box_->currentData().toBool();
        redraw();
        emit state_changed();
    });
    connect(scale_box_, &QComboBox::currentIndexChanged, this, [this] {
        options_.log = scale_box_->currentData().toBool();
        redraw();
        emit state_changed();
    });
    connect(sinks_box_, &QCheckBox::toggled, this, [this](bool on) {
        options_.sinks_out = on;
        redraw();
        emit state_changed();
    });
}

void AttentionPage::run_changed() {
    data_ = attention_data(desk_);
    scale_box_->setEnabled(!data_.difference);
    sinks_box_->setEnabled(!data_.difference);
    if (head_) head_->fit();
    arrange();
    redraw();
}

void AttentionPage::redraw() {
    grid_ = grid_picture(data_, options_, desk_.theme());
    grid_->selected_layer = desk_.selection.place().layer;
    grid_->selected_head = desk_.selection.place().head;
    FigureSource source;
    source.name = QStringLiteral("attention-grid");
    if (data_.run) {
        source.command = capture_command(*data_.run, QStringLiteral("*.attn.hook_pattern"));
        source.provenance = data_.run->provenance;
    }
    grid_canvas_->show_picture(grid_, source);
    redraw_head();
}

void AttentionPage::redraw_head() {
    const Place place = desk_.selection.place();
    const QRectF seen =
        head_ && head_->values.rows == (data_.run ? data_.run->size() : 0) ? head_->view : QRectF();
    head_ = head_picture(data_, options_, place, desk_.theme());
    head_->view = seen; // another head, the same part of the text
    head_->selected_row = place.query;
    head_->selected_col = place.key;
    drawn_place_ = place;
    FigureSource source;
    source.name = QStringLiteral("attention-L%1H%2").arg(place.layer).arg(place.head);
    if (data_.run) {
        source.command =
            capture_command(*data_.run, QStringLiteral("blocks.%1.attn.hook_pattern").arg(place.layer));
        source.provenance = data_.run->provenance;
    }
    head_canvas_->show_picture(head_, source);
    readout_->setText(selected_line());
}

void AttentionPage::selection_changed() {
    const Place& place = desk_.selection.place();
    const bool other_head = place.layer != drawn_place_.layer || place.head != drawn_place_.head;
    if (grid_ && other_head) {
        grid_->selected_layer = place.layer;
        grid_->selected_head = place.head;
        grid_canvas_->update();
    }
    redraw_head();
}

QString AttentionPage::selected_line() const {
    if (!head_ || head_->values.empty() || !head_->said_in_place.isEmpty()) return {};
    const Place& place = desk_.selection.place();
    if (place.query >= head_->values.rows || place.key > place.query) return {};
    return head_->title + QStringLiteral(" · ") + head_->describe_cell(place.query, place.key);
}

void AttentionPage::pointed(const QString& line) {
    readout_->setText(line.isEmpty() ? selected_line() : line);
}

void AttentionPage::arrange() {
    // Where there is nothing to draw, one sentence is enough.
    grid_canvas_->setVisible(grid_wanted_ && data_.said_in_place.isEmpty());
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
             {"average", options_.average},
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
    heads_box_->setCurrentIndex(flag("average", false) ? 1 : 0);
    sinks_box_->setChecked(flag("sinks_out", false));
    grid_wanted_ = flag("grid", true);
    if (const auto share = state.find("grid_share"); share != state.end() && share->is_number())
        grid_share_ = std::clamp(share->get<double>(), 0.2, 0.8);
    arrange();
}

} // namespace vitrine::views
