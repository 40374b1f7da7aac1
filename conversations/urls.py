"""The addresses of pages and forms."""

from django.urls import path, re_path

from conversations.views import (
    attachments,
    chat,
    data,
    feedback,
    history,
    importing,
    order,
    palette,
    preview,
    reports,
    sharing,
    site,
)

urlpatterns = [
    path("", chat.start, name="start"),
    path("start/", chat.start_chat, name="start_chat"),
    path("chats/", history.chats, name="chats"),
    path("accounts/data/", data.my_data, name="my_data"),
    path("palette/", palette.palette, name="palette"),
    path("preview/", preview.preview, name="preview"),
    path("chats/files/", data.chat_files, name="chat_files"),
    path("chats/files/<slug:form>/", data.all_chats, name="all_chats"),
    path("c/<uuid:conversation_id>/export/<slug:form>/", data.one_chat, name="one_chat"),
    path("chats/import/", importing.import_, name="import"),
    path("chats/import/<int:number>/", importing.import_piece, name="import_piece"),
    path("chats/import/cancel/", importing.import_cancel, name="import_cancel"),
    path("chats/links/<int:link_id>/revoke/", sharing.revoke, name="revoke"),
    path("c/<uuid:conversation_id>/share/", sharing.share, name="share"),
    path("s/", sharing.shared_after_sign_in, name="shared_after_sign_in"),
    path("s/<str:token>/", sharing.shared, name="shared"),
    path("chats/order/", order.put, name="order"),
    path("folders/<int:folder_id>/", order.put_folder, name="folder"),
    path("folders/<int:folder_id>/menu/", order.folder_menu, name="folder_menu"),
    path("c/<uuid:conversation_id>/menu/", order.menu, name="chat_menu"),
    path("c/<uuid:conversation_id>/", chat.conversation, name="conversation"),
    path("c/<uuid:conversation_id>/send/", chat.send, name="send"),
    path("c/<uuid:conversation_id>/stop/", chat.stop, name="stop"),
    path("c/<uuid:conversation_id>/messages/<uuid:message_id>/earlier/", chat.earlier, name="earlier"),
    path("c/<uuid:conversation_id>/messages/<uuid:message_id>/later/", chat.later, name="later"),
    path("c/<uuid:conversation_id>/messages/<uuid:message_id>/edit/", chat.edit, name="edit"),
    path(
        "c/<uuid:conversation_id>/messages/<uuid:message_id>/regenerate/", chat.regenerate, name="regenerate"
    ),
    path("c/<uuid:conversation_id>/messages/<uuid:message_id>/continue/", chat.continue_, name="continue"),
    path("c/<uuid:conversation_id>/messages/<uuid:message_id>/switch/", chat.switch, name="switch"),
    path("c/<uuid:conversation_id>/files/<uuid:attachment_id>/", attachments.attachment, name="attachment"),
    path(
        "c/<uuid:conversation_id>/files/<uuid:attachment_id>/whole/",
        attachments.attachment_file,
        name="attachment_file",
    ),
    path("c/<uuid:conversation_id>/messages/<uuid:message_id>/feedback/", feedback.feedback, name="feedback"),
    path("c/<uuid:conversation_id>/messages/<uuid:message_id>/flag/", feedback.flag, name="flag"),
    re_path(r"^theme/(?P<code>[0-9a-f]{6})\.css\Z", site.theme, name="theme"),
    path("csp-report/", reports.csp_report, name="csp_report"),
    path("readyz", site.readyz, name="readyz"),
    path("metrics", site.metrics_, name="metrics"),
]
