"""The addresses of sockets. (Channels routes to ASGI applications, which Django's types do not foresee.)"""

from django.urls import path, re_path

from chatsite.origins import refuse
from conversations.consumers import ConversationConsumer

websocket_urlpatterns = [
    path("ws/c/<uuid:conversation_id>/", ConversationConsumer.as_asgi()),
    re_path("", refuse),  # type: ignore[arg-type]
]
