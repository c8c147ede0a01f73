#pragma once
#include <QWidget>

#include "app/window/bench.h"
#include "core/catalogue/catalogue.h"
#include "views/shared/desk.h"

class QButtonGroup;
class QComboBox;
class QLabel;
class QMenu;
class QPushButton;
class QToolButton;

namespace vitrine::window {

/// Model, device, precision and self-check; A, B, A − B; search; menu.
class TopBar : public QWidget {
    Q_OBJECT

public:
    TopBar(Bench& bench, views::Desk& desk, QWidget* parent = nullptr);

    /// What the pickers say now.
    engine::ModelRequest request() const;
    void set_request(const engine::ModelRequest& request);
    QMenu* menu() { return menu_; }
    QStringList devices() const; ///< ids, `auto` first

signals:
    void model_wanted(const engine::ModelRequest& request);
    void search_wanted();
    void check_clicked(); ///< the verdict of the self-check was clicked
    void pin_wanted();    ///< B was pressed and nothing is pinned yet

private:
    void fill_model_menu();
    void add_stores();
    void look_for_models();
    void list_devices();
    void show_check(const engine::SelfCheck& check);
    void show_side();
    void choose_folder();
    void choose_file();

    Bench& bench_;
    views::Desk& desk_;
    engine::ModelRequest request_;
    QToolButton* model_;
    QMenu* model_menu_;
    std::optional<catalogue::Listing> stores_; ///< as they were when last looked at
    QComboBox* device_;
    QComboBox* precision_;
    QLabel* check_;
    QButtonGroup* sides_;
    QPushButton* search_;
    QToolButton* menu_button_;
    QMenu* menu_;
};

} // namespace vitrine::window
