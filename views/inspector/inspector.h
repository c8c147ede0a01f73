#pragma once
#include <QWidget>

#include "views/attention/attention_pictures.h"
#include "views/next_tokens/next_tokens_view.h"

class QLabel;
class QGridLayout;

namespace vitrine::views {

/// What is selected, in numbers and words; beneath it what comes next.
class Inspector : public QWidget {
    Q_OBJECT

public:
    explicit Inspector(Desk& desk, QWidget* parent = nullptr);
    NextTokensView* next_tokens() { return next_; }

private:
    void refresh();
    void restyle();

    Desk& desk_;
    QLabel* heading_;
    QLabel* values_;
    QLabel* about_;
    NextTokensView* next_;
};

} // namespace vitrine::views
