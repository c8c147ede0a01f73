#include "views/cause/pair_panel.h"

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <algorithm>

#include "views/next_tokens/next_tokens_view.h"

namespace vitrine::views {

PairPanel::PairPanel(Desk& desk, QWidget* parent)
    : QWidget(parent), desk_(desk), behaviours_(new QComboBox(this)), back_(new QToolButton(this)),
      forth_(new QToolButton(this)), place_(new QLabel(this)), whole_(new QCheckBox(this)),
      clean_(new QLineEdit(this)), corrupted_(new QLineEdit(this)), answer_(new QLineEdit(this)),
      distractor_(new QLineEdit(this)), ruler_(new PairRuler(desk, this)), problem_(new QLabel(this)),
      table_(new QPushButton(tr("Table…"), this)), measure_(new QPushButton(tr("Measure"), this)) {
    build();
    connect(behaviours_, &QComboBox::currentIndexChanged, this, [this] {
        pairs_.clear();
        at_ = 0;
        show_place();
        emit behaviour_chosen(behaviour());
    });
    connect(back_, &QToolButton::clicked, this, [this] { step(-1); });
    connect(forth_, &QToolButton::clicked, this, [this] { step(1); });
    connect(measure_, &QPushButton::clicked, this, &PairPanel::measure);
    connect(table_, &QPushButton::clicked, this, &PairPanel::table_wanted);
    connect(whole_, &QCheckBox::toggled, this, &PairPanel::changed);
    for (QLineEdit* field : {clean_, corrupted_, answer_, distractor_}) {
        connect(field, &QLineEdit::textChanged, this, [this] {
            if (!filling_) emit changed();
        });
        connect(field, &QLineEdit::returnPressed, this, &PairPanel::measure);
    }
    connect(qApp, &QApplication::focusChanged, this, [this](QWidget*, QWidget* now) {
        if (now == answer_ || now == distractor_)
            filled_ = now;
        else if (qobject_cast<NextTokensView*>(now) == nullptr)
            filled_ = nullptr;
    });
    show_place();
}

void PairPanel::build() {
    const auto about = [](QWidget* widget, const QString& name, const QString& tip) {
        widget->setAccessibleName(name);
        widget->setToolTip(tip);
    };
    about(behaviours_, tr("Behaviour"), tr("A shipped set of tasks, or two prompts of your own"));
    about(back_, tr("Pair before"), tr("The pair before this one"));
    about(forth_, tr("Next pair"), tr("The next pair of the set"));
    about(clean_, tr("Clean prompt"), tr("The prompt that the model answers as it should"));
    about(corrupted_, tr("Corrupted prompt"),
          tr("The same with what decides the answer changed; equally many tokens, for activation patching"));
    about(answer_, tr("Answer"),
          tr("What comes next in the clean prompt: exactly one token, with its leading space. A "
             "click on a row of the next tokens (Selection) fills it while the cursor stands here"));
    about(distractor_, tr("Distractor"),
          tr("What comes next in the corrupted prompt: the metric logit-diff subtracts it. A click on a "
             "row of the next tokens (Selection) fills it while the cursor stands here"));
    about(whole_, tr("All pairs"), tr("Measures every pair of the set and shows the mean"));
    about(table_, tr("Table of pairs"),
          tr("The pairs as a table: write a set of your own, paste one, or import CSV and JSON lines"));
    about(measure_, tr("Measure"), tr("Runs every picture of this page on what stands here (Enter)"));
    back_->setArrowType(Qt::LeftArrow);
    forth_->setArrowType(Qt::RightArrow);
    measure_->setDefault(true);
    problem_->setWordWrap(true);
    auto* first = new QHBoxLayout;
    first->setSpacing(6);
    first->addWidget(behaviours_);
    for (QWidget* widget : {static_cast<QWidget*>(back_), static_cast<QWidget*>(place_),
                            static_cast<QWidget*>(forth_), static_cast<QWidget*>(whole_)})
        first->addWidget(widget);
    first->addWidget(problem_, 1);
    first->addWidget(table_);
    first->addWidget(measure_);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(6);
    grid->setVerticalSpacing(3);
    const auto label = [this](const QString& text, QWidget* of) {
        auto* out = new QLabel(text, this);
        out->setToolTip(of->toolTip());
        return out;
    };
    grid->addWidget(label(tr("Clean"), clean_), 0, 0);
    grid->addWidget(clean_, 0, 1);
    grid->addWidget(label(tr("Answer"), answer_), 0, 2);
    grid->addWidget(answer_, 0, 3);
    grid->addWidget(label(tr("Corrupted"), corrupted_), 1, 0);
    grid->addWidget(corrupted_, 1, 1);
    grid->addWidget(label(tr("Distractor"), distractor_), 1, 2);
    grid->addWidget(distractor_, 1, 3);
    grid->setColumnStretch(1, 6);
    grid->setColumnStretch(3, 1);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 6, 8, 0);
    column->setSpacing(4);
    column->addLayout(first);
    column->addLayout(grid);
    column->addWidget(ruler_);
}

void PairPanel::show_behaviours(const std::vector<Behaviour>& behaviours) {
    const QSignalBlocker quiet(behaviours_);
    const QString chosen = behaviour();
    behaviours_->clear();
    behaviours_->addItem(tr("Two prompts of your own"), QString());
    for (const Behaviour& one : behaviours) {
        behaviours_->addItem(one.title, one.name);
        behaviours_->setItemData(behaviours_->count() - 1, one.about, Qt::ToolTipRole);
    }
    behaviours_->setCurrentIndex(std::max(0, behaviours_->findData(chosen)));
}

void PairPanel::choose(const QString& name) {
    const int at = behaviours_->findData(name);
    if (at >= 0) behaviours_->setCurrentIndex(at);
}

QString PairPanel::behaviour() const { return behaviours_->currentData().toString(); }

void PairPanel::show_pairs(std::vector<Pair> pairs, int left_out) {
    pairs_ = std::move(pairs);
    at_ = 0;
    whole_->setToolTip(left_out == 0 ? tr("Measures every pair of the set and shows the mean")
                                     : tr("Measures every pair of the set and shows the mean; %1 more do not "
                                          "fit this model's tokenizer and are left out")
                                           .arg(left_out));
    if (!pairs_.empty()) set_pair(pairs_.front());
    show_place();
}

Pair PairPanel::pair() const {
    return {clean_->text(), corrupted_->text(), answer_->text(), distractor_->text()};
}

void PairPanel::set_pair(const Pair& pair) {
    filling_ = true;
    clean_->setText(pair.clean);
    corrupted_->setText(pair.corrupted);
    answer_->setText(pair.answer);
    distractor_->setText(pair.distractor);
    for (QLineEdit* field : {clean_, corrupted_})
        field->setCursorPosition(0);
    filling_ = false;
    emit changed();
}

void PairPanel::set_answer(const QString& text) {
    whole_->setChecked(false); // it is of this pair alone
    answer_->setText(text);
}

void PairPanel::set_distractor(const QString& text) {
    whole_->setChecked(false);
    distractor_->setText(text);
}

bool PairPanel::take_token(const QString& text) {
    if (!filled_) return false;
    QWidget* field = filled_;
    if (field == answer_)
        set_answer(text);
    else
        set_distractor(text);
    field->setFocus(Qt::OtherFocusReason);
    return true;
}

bool PairPanel::whole_set() const { return !pairs_.empty() && whole_->isChecked(); }

void PairPanel::set_whole(bool whole) { whole_->setChecked(whole); }

void PairPanel::step(int by) {
    if (pairs_.empty()) return;
    at_ = std::clamp(at_ + by, 0, pairs() - 1);
    set_pair(pairs_[static_cast<std::size_t>(at_)]);
    show_place();
}

void PairPanel::show_place() {
    const bool many = !pairs_.empty();
    for (QWidget* widget : {static_cast<QWidget*>(back_), static_cast<QWidget*>(forth_),
                            static_cast<QWidget*>(place_), static_cast<QWidget*>(whole_)})
        widget->setVisible(many);
    place_->setText(tr("%1 of %2").arg(at_ + 1).arg(pairs()));
    back_->setEnabled(at_ > 0);
    forth_->setEnabled(at_ + 1 < pairs());
    whole_->setText(tr("all %1 pairs").arg(pairs()));
}

void PairPanel::show_tokens(const QStringList& clean, const QStringList& corrupted, const QString& problem) {
    ruler_->show_pair(clean, corrupted);
    const figure::Theme& theme = desk_.theme();
    problem_->setStyleSheet(
        QStringLiteral("color: %1").arg((problem.isEmpty() ? theme.muted : theme.text).name()));
    problem_->setText(!problem.isEmpty()    ? problem
                      : corrupted.isEmpty() ? QString()
                                            : tr("%1 of %2 tokens differ")
                                                  .arg(ruler_->differing())
                                                  .arg(std::max(clean.size(), corrupted.size())));
    measure_->setEnabled(problem.isEmpty() && !clean.isEmpty());
}

} // namespace vitrine::views
